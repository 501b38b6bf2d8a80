"""What moves by itself and will meet the camera before long, if both go on as they do."""

from __future__ import annotations

from collections.abc import Iterable

from streamflow.values import Looming, MovingObject


def looming_objects(objects: Iterable[MovingObject], limit: float) -> list[Looming]:
    """Find those that come nearer, within `limit` seconds, and not past the camera.

    Metres are not known, but sizes are: what carries the camera is taken to be as large as the lesser side of
    the object, and to be met where the two overlap on contact.
    """
    return [
        Looming(part.time_to_contact, part.mask)
        for part in objects
        if part.time_to_contact is not None and part.time_to_contact < limit and _meets(part)
    ]


def _meets(part: MovingObject) -> bool:
    if part.miss is None:
        return False
    _, _, width, height = part.box
    reach = min(width, height) / 2
    return bool(abs(part.miss[0]) < width / 2 + reach and abs(part.miss[1]) < height / 2 + reach)
