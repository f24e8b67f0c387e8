"""What the OpenAPI description promises, tried with values that nobody would think of."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import hypothesis
import requests
import schemathesis
from asking import asking
from hypothesis import HealthCheck

TRIES = 3
"""Requests to each address."""


def answered(send: Callable[[requests.PreparedRequest], Any], operation: Any) -> set[int]:
    """Return the statuses of answers to requests that the schema describes, or nearly."""
    found: set[int] = set()

    @hypothesis.given(case=operation.as_strategy())
    @hypothesis.settings(
        max_examples=TRIES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def tried(case: Any) -> None:
        if "model" in (case.path_parameters or {}):
            case.path_parameters["model"] = "few-shot-classes"
        given = requests.Request(**case.as_transport_kwargs(base_url="http://test")).prepare()
        answer = send(given)
        found.add(answer.status_code)
        assert answer.status_code < 500, (given.method, given.url, given.body, answer.text)

    tried()
    return found


def test_no_request_that_the_schema_describes_breaks_the_server(models):
    with asyncio.Runner() as runner:
        context = asking(models)
        client = runner.run(context.__aenter__())

        def send(given: requests.PreparedRequest) -> Any:
            how: dict[str, Any] = {"headers": dict(given.headers), "content": given.body or b""}
            return runner.run(client.request(given.method, given.url, **how))

        schema = schemathesis.openapi.from_dict(client.app.openapi())
        operations = [each.ok() for each in schema.get_all_operations()]
        seen = {each.path: answered(send, each) for each in operations}
        runner.run(context.__aexit__(None, None, None))
    assert len(seen) == 11
    assert 200 in seen["/api/models/{model}/image"] and 422 in seen["/api/models/{model}/draw"]
