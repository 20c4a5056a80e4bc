"""Other services' ways of asking, translated into our verbs: a client of theirs moves here by changing a host.

Each door is off unless its setting is on. None of them decides anything: it reads one shape, calls the verb that the
API of our own calls, and says the outcome in the words its clients branch on. docs/doors.md has the tables.
"""
