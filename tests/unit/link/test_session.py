"""How much of the board's ring is taken."""

import pytest

from edgesq.link import frame
from edgesq.link.frame import FrameType
from edgesq.link.session import Session
from support.link_partners import Actor

PAYLOAD = bytes(496)
WINDOW = 1024


@pytest.mark.parametrize(("is_paced", "frames"), [(True, 3), (False, 2)])
def test_a_line_without_pace_may_fill_the_ring_with_the_oldest_frame_too(
    is_paced: bool, frames: int
) -> None:
    transport = Actor()
    transport.is_paced = is_paced
    session = Session(transport, tag=1, timeout=1)
    sent = 0
    while session.has_room(frame.wire_bytes(len(PAYLOAD)), WINDOW, most_frames=16):
        session.send(FrameType.DATA, PAYLOAD)
        sent += 1
    assert sent == frames
