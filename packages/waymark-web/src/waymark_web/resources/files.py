"""`/static/{version}/{name}`: a name in, the file of this distribution out."""

from __future__ import annotations

from falcon import HTTPNotFound
from falcon.asgi import Request, Response

from waymark_web.static import assets


class Files:
    """Style sheet, script and icon, held in memory: no path of a request ever reaches the disk."""

    async def on_get(self, _req: Request, resp: Response, version: str, name: str) -> None:
        """Send one file, to be kept for ever under this address."""
        asset = assets().get(name)
        if asset is None or asset.version != version:
            raise HTTPNotFound
        resp.content_type = asset.media_type
        resp.data = asset.content
        resp.cache_control = ["public", "max-age=31536000", "immutable"]

    on_head = on_get
