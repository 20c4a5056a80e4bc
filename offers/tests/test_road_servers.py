"""Road servers over HTTP, against what real ones have answered (`roads/README.md`), and against ones that misbehave."""

import http.server
import json
import threading
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from offers import limits
from offers.planning.travel.asking import AskForLess, Deadline, ServerTrouble
from offers.planning.travel.osrm import Osrm
from offers.planning.travel.valhalla import Valhalla
from retaildelivery.lib.geo import Point

ROADS = Path(__file__).parent / "roads"
# Three doors beside a road, and one in the sea.
DERRY, ELMERTON, OBERLIN = (
    Point(40.263142, -76.869333),
    Point(40.291103, -76.881888),
    Point(40.21287, -76.735574),
)
SEA = Point(40.0, -75.0)
BESIDE_ROADS = b'"sources": [{"distance": 0}], "destinations": [{"distance": 0}]}'


class RoadServer(http.server.BaseHTTPRequestHandler):
    """Answers as the test says and remembers what it was asked."""

    def do_GET(self):
        self.server.asked.append((self.path, None))
        self._answer()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, json.loads(body)))
        self._answer()

    def _answer(self):
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        for part in self.server.parts:
            try:
                self.wfile.write(part)
                self.wfile.flush()
            except OSError:
                return
            self.server.pause.wait(self.server.seconds_between)

    def log_message(self, *args):
        pass


@pytest.fixture
def server(settings):
    settings.TRAVEL_ALLOW_PRIVATE = True
    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), RoadServer)
    made.daemon_threads = True
    made.status, made.headers, made.parts, made.asked = 200, {}, [b"{}"], []
    made.pause, made.seconds_between = threading.Event(), 0
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    made.url = f"http://127.0.0.1:{made.server_port}"
    yield made
    made.pause.set()
    made.shutdown()
    made.server_close()


def recorded(name):
    return (ROADS / name).read_bytes()


def test_osrm_answers_both_ways_and_knows_no_place_far_from_its_roads(server):
    server.parts = [recorded("osrm_table.json")]
    doors = [DERRY, ELMERTON, OBERLIN, SEA]

    table = Osrm(server.url).table(doors, doors, by=Deadline())

    assert table == [
        [(0, 0), (912, 9965), (1091, 15590), None],
        [(944, 11214), (0, 0), (1295, 21227), None],
        [(1067, 15192), (1316, 20712), (0, 0), None],
        [None, None, None, None],
    ]
    path, query = (urlsplit(server.asked[0][0]).path, parse_qs(urlsplit(server.asked[0][0]).query))
    assert path.startswith("/table/v1/driving/-76.86933,40.26314;-76.88189,40.29110;")
    assert query["annotations"] == ["duration,distance"]
    assert (query["sources"], query["destinations"]) == (["0;1;2;3"], ["4;5;6;7"])


def test_osrm_says_when_it_was_asked_for_too_much(server):
    server.status, server.parts = 400, [recorded("osrm_too_big.json")]

    with pytest.raises(AskForLess):
        Osrm(server.url).table([DERRY], [ELMERTON], by=Deadline())


def test_valhalla_answers_both_ways_in_metres(server):
    server.parts = [recorded("valhalla_matrix.json")]
    doors = [DERRY, ELMERTON, OBERLIN]

    table = Valhalla(server.url).table(doors, doors, by=Deadline())

    assert table == [
        [(0, 0), (755, 10344), (809, 15325)],
        [(811, 11216), (0, 0), (1042, 21236)],
        [(805, 15198), (1045, 20976), (0, 0)],
    ]
    path, body = server.asked[0]
    assert (path, body["costing"], body["units"]) == ("/sources_to_targets", "auto", "kilometers")
    assert body["sources"][0] == {"lat": 40.26314, "lon": -76.86933, "search_cutoff": 1000}


def test_one_place_without_roads_spoils_a_table_of_valhallas(server):
    server.status, server.parts = 400, [recorded("valhalla_unconnected.json")]

    with pytest.raises(AskForLess):
        Valhalla(server.url).table([DERRY, SEA], [ELMERTON], by=Deadline())


@pytest.mark.parametrize("kind", [Osrm, Valhalla])
@pytest.mark.parametrize(
    ("status", "answer", "code"),
    [
        (200, b"<html>Welcome</html>", "travel_server_nonsense"),
        (200, b"[]", "travel_server_nonsense"),
        (200, b'{"code": "Ok", "durations": [[1]], "distances": [[1]]}', "travel_server_nonsense"),
        (400, b'{"code": "InvalidQuery"}', "travel_server_nonsense"),
        (503, b'{"error": "busy"}', "travel_server_down"),
    ],
)
def test_trouble_has_a_name(server, kind, status, answer, code):
    server.status, server.parts = status, [answer]

    with pytest.raises(ServerTrouble) as trouble:
        kind(server.url).table([DERRY], [ELMERTON], by=Deadline())

    assert trouble.value.code == code


def test_times_below_zero_are_nonsense(server):
    server.parts = [b'{"code": "Ok", "durations": [[-5]], "distances": [[1]], ', BESIDE_ROADS]

    with pytest.raises(ServerTrouble) as trouble:
        Osrm(server.url).table([DERRY], [ELMERTON], by=Deadline())

    assert trouble.value.code == "travel_server_nonsense"


def test_an_unknown_way_is_an_empty_cell(server):
    server.parts = [b'{"code": "Ok", "durations": [[null]], "distances": [[null]], ', BESIDE_ROADS]

    assert Osrm(server.url).table([DERRY], [ELMERTON], by=Deadline()) == [[None]]


def test_a_server_that_trickles_is_given_up_when_the_time_is_over(server):
    """A time-out between reads alone would wait as long as a byte comes now and then."""
    server.parts, server.seconds_between = [b" "] * 100, 0.05

    with pytest.raises(ServerTrouble) as trouble:
        Osrm(server.url).table([DERRY], [ELMERTON], by=Deadline(until=time.monotonic() + 0.2))

    assert trouble.value.code == "travel_server_slow"


def test_an_answer_without_end_is_not_read_to_it(server, monkeypatch):
    monkeypatch.setattr(limits, "TRAVEL_ANSWER_BYTES", 100_000)
    server.parts = [b" " * 65_536] * 3

    with pytest.raises(ServerTrouble) as trouble:
        Osrm(server.url).table([DERRY], [ELMERTON], by=Deadline())

    assert trouble.value.code == "travel_server_nonsense"


def test_a_redirect_is_not_followed(server):
    server.status, server.headers = 302, {"Location": "http://169.254.169.254/"}

    with pytest.raises(ServerTrouble):
        Osrm(server.url).table([DERRY], [ELMERTON], by=Deadline())

    assert len(server.asked) == 1


def test_nobody_listening_is_a_server_that_is_down(server):
    server.shutdown()
    server.server_close()

    with pytest.raises(ServerTrouble) as trouble:
        Osrm(server.url).table([DERRY], [ELMERTON], by=Deadline())

    assert trouble.value.code == "travel_server_down"


def test_a_private_address_is_refused_unless_the_operator_allows_it(server, settings):
    settings.TRAVEL_ALLOW_PRIVATE = False

    with pytest.raises(ServerTrouble) as trouble:
        Osrm(server.url).table([DERRY], [ELMERTON], by=Deadline())

    assert trouble.value.code == "travel_server_private"
    assert server.asked == []
