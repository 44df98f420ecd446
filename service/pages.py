"""The web pages and the script for exam pages: static files, served from one folder and nowhere else."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from secureproctor.contract.errors import Refusal

WEB = Path(__file__).parent / "web"
PAGES = {
    "/demo": "demo.html",
    "/console": "console.html",
    "/report/{id}": "report.html",
    "/secureproctor.js": "secureproctor.js",
    "/authorization.js": "authorization.js",
}
TYPES = {
    # a machine's own table may call scripts text/plain, and then no browser runs them
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
    ".wasm": "application/wasm",
    ".map": "application/json",
}
LOOPBACK = "ws://127.0.0.1:* http://127.0.0.1:*"
"""Where the agent listens; the page must be allowed to talk to it."""
HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": (
        f"default-src 'self'; connect-src 'self' {LOOPBACK}; media-src 'self' blob:; worker-src 'self' blob:;"
        " img-src 'self' data: blob:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",  # addresses hold access codes
    "X-Content-Type-Options": "nosniff",
}

SHARED: Mapping[str, str] = {"Access-Control-Allow-Origin": "*"}
"""Of scripts: an exam's page imports authorization.js from here, and browsers ask leave for modules of another origin."""


def routes() -> list[BaseRoute]:
    """The addresses of this part."""
    return [
        Route("/", _front),
        *(Route(path, _page(name)) for path, name in PAGES.items()),
        Route("/web/{path:path}", _static),
    ]


def _page(name: str) -> Callable[[Request], Awaitable[Response]]:
    async def page(_request: Request) -> Response:
        return _file(name)

    return page


async def _front(_request: Request) -> Response:
    return RedirectResponse("/demo")


async def _static(request: Request) -> Response:
    return _file(str(request.path_params["path"]))


def _file(name: str) -> Response:
    try:
        path = (WEB / name).resolve()
        known = path.is_relative_to(WEB.resolve()) and path.is_file()
    except (OSError, ValueError):  # a name that no file system knows
        known = False
    if not known or path.suffix not in TYPES:
        raise Refusal("not_found")
    shared = SHARED if path.suffix in (".js", ".mjs") else {}
    return FileResponse(path, headers={**HEADERS, **shared}, media_type=TYPES[path.suffix])
