"""The named cast of the tests: loaded once Django is set up, so models may be imported at its top."""
