"""The OpenAPI description is the routes', its examples work, and no random request finds a 5xx."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from facewire_server import app as application
from facewire_server.openapi import described
from server_parts import Served, light, serving

CHECKS = "not_a_server_error,response_schema_conformance,content_type_conformance"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    profile = light(tmp_path_factory.mktemp("profiles"))
    with serving(profile=profile, max_text=300) as running:
        yield running


def test_it_describes_the_routes_and_nothing_else(served: Served) -> None:
    with served.client() as client:
        told = client.get("/openapi.json").json()
    assert told == described() and told["info"]["version"] == "0.1.0"
    routes = {
        (route.path, method)
        for router in (application.clips_routes.router, application.lists_routes.router)
        for route in router.routes
        if getattr(route, "include_in_schema", False)
        for method in route.methods
    }
    described_routes = {
        (path, method.upper()) for path, methods in told["paths"].items() for method in methods
    }
    assert routes == described_routes


def test_every_reference_is_there_and_every_answer_has_an_example() -> None:
    told = described()

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if "$ref" in node:
                at: Any = told
                for step in node["$ref"].removeprefix("#/").split("/"):
                    at = at[step]
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(told)
    for path, methods in told["paths"].items():
        for each in methods.values():
            body = each["responses"]["200"]["content"].get("application/json")
            assert body is None or "example" in body or path == "/v1/animate"


def test_the_examples_work(served: Served) -> None:
    with served.client() as client:
        for path in ("/v1/animate", "/v1/resolve"):
            content = described()["paths"][path]["post"]["requestBody"]["content"]
            for example in content["application/json"]["examples"].values():
                answer = client.post(path, json=example["value"])
                assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    "phases", ["examples,fuzzing", pytest.param("coverage", marks=pytest.mark.slow)]
)
def test_random_requests_find_no_error_of_the_servers(
    served: Served, phases: str, tmp_path: Path
) -> None:
    """What schemathesis generates from the description, right and wrong."""
    command = shutil.which("schemathesis", path=str(Path(sys.executable).parent))
    if command is None:
        pytest.skip("schemathesis is not installed")
    done = subprocess.run(
        [
            command, "run", f"{served.url}/openapi.json", "--phases", phases, "--checks", CHECKS,
            "--max-examples", "15", "--seed", "1", "--request-timeout", "60", "--no-color",
        ],
        cwd=tmp_path, capture_output=True, text=True, timeout=280,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    assert "Tested: 13" in done.stdout
