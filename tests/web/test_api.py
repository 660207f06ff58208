"""The JSON API keeps its own word: the document, the shapes, one form of error."""

from __future__ import annotations

import re
from typing import Any

import pytest
from starlette.routing import Route

from broadsheet.web.app import routes
from tests.web.newsroom import CEASEFIRE, PRIVATE, STORIES, Browser

DOCUMENTED = ("id", "headline", "key_points", "publishers", "first_seen", "last_seen", "topics", "entities")


@pytest.fixture
def me(ada: Browser) -> str:
    found: str = ada.get("/api/readers").json()["readers"][0]["id"]
    return f"/api/readers/{found}"


def test_the_document_says_every_route_and_no_other(ada: Browser) -> None:
    said = {(path, method.upper()) for path, methods in document(ada)["paths"].items() for method in methods}
    served = {
        (route.path, method)
        for route in routes()
        if isinstance(route, Route) and route.path.startswith("/api/")
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert said == served


def document(browser: Browser) -> dict[str, Any]:
    said: dict[str, Any] = browser.get("/api/openapi.json").json()
    return said


def test_every_reference_in_the_document_leads_somewhere_and_no_operation_has_the_name_of_another(ada: Browser) -> None:
    text = ada.get("/api/openapi.json").text
    said = document(ada)
    for reference in re.findall(r'"\$ref":"#/([^"]+)"', text):
        at: Any = said
        for part in reference.split("/"):
            at = at[part]
    names = [operation["operationId"] for methods in said["paths"].values() for operation in methods.values()]
    assert len(names) == len(set(names))


def test_every_hole_in_a_path_is_a_parameter(ada: Browser) -> None:
    for path, methods in document(ada)["paths"].items():
        for operation in methods.values():
            holes = [p["name"] for p in operation["parameters"] if p["in"] == "path"]
            assert holes == re.findall(r"{(\w+)}", path)


def test_a_feed_has_reasons_that_are_its_scores(ada: Browser, me: str) -> None:
    feed = ada.get(f"{me}/feed").json()
    assert feed["items"][0]["story"]["headline"] == "Ceasefire holds"
    for item in feed["items"]:
        assert item["score"] == pytest.approx(sum(reason["points"] for reason in item["reasons"]))
        assert item["sentence"].endswith(".")
        assert set(DOCUMENTED) <= set(item["story"])
    assert [item["position"] for item in feed["items"]] == list(range(len(feed["items"])))
    assert len(ada.get(f"{me}/feed?limit=1").json()["items"]) == 1


def test_a_story_its_reasons_and_its_articles(ada: Browser, me: str) -> None:
    story = ada.get(f"{me}/stories/{CEASEFIRE.id}").json()
    assert [a["publisher"] for a in story["articles"]] == ["Open Times", "Daily Bee", "Gazette"]
    assert len(story["timeline"]) == 2
    why = ada.get(f"{me}/stories/{CEASEFIRE.id}/why").json()
    assert why["score"] == pytest.approx(sum(reason["points"] for reason in why["reasons"]))
    article = ada.get(f"{me}/articles/{CEASEFIRE.articles[0]}").json()
    assert article["text"].startswith("The first sentence of Open Times.")
    assert article["story"] == CEASEFIRE.id


def test_what_a_reader_does_is_recorded_and_undone(ada: Browser, me: str) -> None:
    done = ada.json("POST", f"{me}/events", {"kind": "saved", "story": CEASEFIRE.id})
    assert done.status == 201
    assert [s["id"] for s in ada.get(f"{me}/saved").json()["stories"]] == [CEASEFIRE.id]
    ada.json("POST", f"{me}/events", {"kind": "undo", "target": done.json()["event"]})
    assert ada.get(f"{me}/saved").json()["stories"] == []


def test_a_repair_from_the_reasons_can_be_sent_back_as_it_came(ada: Browser, me: str) -> None:
    reasons = ada.get(f"{me}/stories/{CEASEFIRE.id}/why").json()["reasons"]
    sent = 0
    for reason in reasons:
        if reason["repair"]:
            answer = ada.json("POST", f"{me}/events", reason["repair"])
            assert answer.status == 201, (reason["repair"], answer.text)
            sent += 1
    assert sent


def test_readers_are_made_and_erased(ada: Browser) -> None:
    made = ada.json(
        "POST", "/api/readers", {"name": "Bea", "follows": [{"kind": "topic", "value": "15000000", "label": "Sport"}]}
    )
    assert made.status == 201
    path = f"/api/readers/{made.json()['id']}"
    assert ada.get(path).json()["follows"][0]["label"] == "Sport"
    assert ada.call("DELETE", path).status == 200
    assert ada.get(path).status == 404


def test_lists_and_searches(ada: Browser, me: str) -> None:
    assert len(ada.get(f"{me}/latest?limit=2").json()["articles"]) == 2
    hits = ada.get(f"{me}/search?q=gazette").json()["hits"]
    assert hits[0]["article"]["publisher"] == "Gazette"
    assert hits[0]["story"] == CEASEFIRE.id
    [said] = hits[0]["sentences"]
    assert [said["text"][a:b] for a, b in said["marks"]] == ["Gazette"]
    assert hits[0]["snippet"] == said["text"]
    odd = ada.get(f"{me}/search?q=first+site:x").json()
    assert odd["doubts"] == [{"kind": "unknown", "part": "site:x"}]
    ada.json("POST", f"{me}/events", {"kind": "more", "story": CEASEFIRE.id})
    assert any(w["key"] == ["topic", "16000000"] for w in ada.get(f"{me}/ledger").json()["weights"])
    sources = ada.get(f"{me}/sources").json()["sources"]
    assert [(s["title"], s["health"]) for s in sources] == [("Open Times", "waiting")]


def test_what_is_private_is_not_here_for_others(ada: Browser, me: str) -> None:
    assert ada.get(f"{me}/stories/{PRIVATE.id}").status == 404
    assert ada.get(f"{me}/stories/{PRIVATE.id}/why").status == 404
    assert ada.get(f"{me}/articles/{PRIVATE.articles[0]}").status == 404
    assert "letter for few" not in ada.get(f"{me}/latest?limit=200").text + ada.get(f"{me}/feed").text


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/api/readers/nobody", None, 404),
        ("GET", "/api/readers/nobody/feed", None, 404),
        ("GET", "/api/nothing", None, 404),
        ("GET", "ME/stories/nope", None, 404),
        ("GET", "ME/latest?limit=0", None, 422),
        ("GET", "ME/latest?limit=%C2%B2", None, 422),
        ("GET", "ME/latest?limit=9999", None, 422),
        ("POST", "ME/events", [], 422),
        ("POST", "ME/events", {"kind": "shown", "story": "x"}, 422),
        ("POST", "ME/events", {"kind": "undo", "target": 999999}, 404),
        ("POST", "/api/readers", {"name": ""}, 422),
        ("POST", "/api/readers", {"name": 7}, 422),
        ("POST", "/api/readers", {"name": "x", "follows": "all"}, 422),
        ("POST", "/api/readers", {"name": "x", "follows": [{"kind": "planet", "value": "Mars"}]}, 422),
        ("POST", "ME/sources", {}, 422),
        ("PUT", "ME/feed", {}, 405),
    ],
)
def test_every_error_has_the_same_shape(ada: Browser, me: str, method: str, path: str, body: Any, status: int) -> None:
    answer = ada.json(method, path.replace("ME", me), body)
    assert answer.status == status, answer.text
    error = answer.json()["error"]
    assert set(answer.json()) == {"error"}
    assert error["status"] == status
    assert error["message"].endswith(".")


def test_only_json_is_taken(ada: Browser, me: str) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        answer = ada.call("POST", f"{me}/events", b'{"kind":"more","story":"x"}', {"content-type": kind})
        assert answer.status == 422
        assert "Content-Type: application/json" in answer.json()["error"]["message"]
    assert ada.call("POST", f"{me}/events", b"{", {"content-type": "application/json"}).status == 422


def test_a_private_source_address_is_refused_in_words(ada: Browser, me: str) -> None:
    answer = ada.json("POST", f"{me}/sources", {"address": "http://127.0.0.1:9/feed"})
    assert answer.status == 422
    assert answer.json()["added"] is None
    assert "127.0.0.1" in answer.json()["message"]


def test_the_store_is_asked_whether_it_is_well(ada: Browser) -> None:
    assert ada.get("/healthz").json()["ok"] is True


def test_the_stories_of_the_builders_are_all_live(ada: Browser) -> None:
    assert len(ada.app.state.newsstand.edition().edition) == len(STORIES)
