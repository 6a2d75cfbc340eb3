"""A streamed Chat Completions answer, put in order: one stretch of thinking, text or tool arguments after another.

Chat Completions sends pieces of several tool calls by their index, in any order; other formats give one block or item at a
time. Here the first that began goes through as it comes, and those that began later wait until it has ended: a text when
something else begins, arguments when they are a whole JSON object.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sovguard.payloads.lanes import Frame
from sovguard.reroute.answers import (
    Call,
    Said,
    Usage,
    arguments_of,
    call_id,
    calls_of,
    finish_of,
    moment,
    plain_id,
    reasoning_of,
    source_of,
    text_of,
    text_or_empty,
    unreadable,
)


@dataclass(slots=True, eq=False, repr=False)
class Stretch:
    """What is said in one go.

    Attributes:
        kind: What it is.
        id: Of a call, what it is known by.
        name: Of a call, the tool.
        said: Its pieces so far.
        given: How many of them have been given out.
        opened: Whether it has begun for the caller.
        closed: Whether it has ended.
    """

    kind: Literal["reasoning", "text", "call"]
    id: str = ""
    name: str = ""
    said: list[str] = field(default_factory=list)
    given: int = 0
    opened: bool = False
    closed: bool = False

    def __repr__(self) -> str:
        return f"Stretch({self.kind})"

    @property
    def text(self) -> str:
        """All of it so far."""
        return "".join(self.said)


@dataclass(frozen=True, slots=True, repr=False)
class Step:
    """What happens to a stretch: it opens, says a piece, or closes."""

    what: Literal["opens", "says", "closes"]
    stretch: Stretch
    piece: str = ""

    def __repr__(self) -> str:
        return f"Step({self.what}, {self.stretch!r})"


class Pieces:
    """Reads the chunks of one streamed answer.

    Args:
        reasoning: Whether the caller wants to see what was thought.

    Attributes:
        begun: Whether any chunk has come.
        broken: Whether the server said that it failed.
    """

    def __init__(self, *, reasoning: bool) -> None:
        self.begun = self.broken = False
        self._reasoning = reasoning
        self._all: list[Stretch] = []
        self._waiting: deque[Stretch] = deque()
        self._calls: dict[Any, Stretch] = {}
        self._id, self._model, self._created = "", "", 0
        self._finish: Any = None
        self._stopped_by: str | None = None
        self._usage = Usage()

    def __repr__(self) -> str:
        return f"Pieces({len(self._all)} stretches)"

    def feed(self, chunk: Any) -> list[Step]:
        """Returns what happens upon a chunk.

        Raises:
            UnsupportedPayload: It goes on with a call that had ended.
        """
        if not isinstance(chunk, dict):
            return []
        if chunk.get("error"):
            self.broken = True
            return []
        self.begun = True
        self._id = self._id or text_or_empty(chunk.get("id"))
        self._model = self._model or text_or_empty(chunk.get("model"))
        self._created = self._created or moment(chunk.get("created"))
        if chunk.get("usage"):
            self._usage = Usage.read(chunk["usage"])
        choices = chunk.get("choices")
        for choice in choices if isinstance(choices, list) else []:
            if isinstance(choice, dict) and not choice.get("index"):
                self._read(choice)
        return self._steps(ended=self._finish is not None)

    def end(self) -> list[Step]:
        """Returns what is left to happen when nothing more comes; an answer that says no reason to end has broken off."""
        self.broken = self.broken or self._finish is None
        return [] if self.broken else self._steps(ended=True)

    def head(self) -> Said:
        """Returns what is known of the answer beside what it says; for every piece, since it does not grow with them."""
        return self._said("", "", ())

    def said(self) -> Said:
        """Returns the answer so far as if it had come whole."""
        reasoning, text = (
            "".join(each.text for each in self._all if each.kind == kind) for kind in ("reasoning", "text")
        )
        calls = tuple(Call(each.id, each.name, each.text) for each in self._all if each.kind == "call")
        return self._said(reasoning, text, calls)

    def _said(self, reasoning: str, text: str, calls: tuple[Call, ...]) -> Said:
        return Said(
            plain_id(self._id),
            self._model,
            self._created,
            reasoning,
            text,
            calls,
            finish_of(self._finish, called=bool(calls)),
            self._stopped_by,
            self._usage,
        )

    def _read(self, choice: dict[str, Any]) -> None:
        delta = choice.get("delta")
        if isinstance(delta, dict):
            if self._reasoning:
                self._tell("reasoning", reasoning_of(delta))
            self._tell("text", text_of(delta))
            touched: list[Stretch] = []
            for call in calls_of(delta):
                touched.append(self._call(call, touched))
        reason = choice.get("finish_reason")
        if isinstance(reason, str) and reason:  # some servers send an empty one until the end
            self._finish = reason
        if isinstance(choice.get("stop_reason"), str):
            self._stopped_by = choice["stop_reason"]

    def _tell(self, kind: Literal["reasoning", "text"], piece: str) -> None:
        if not piece:
            return
        if not self._waiting or self._waiting[-1].kind != kind:
            self._begin(Stretch(kind))
        self._waiting[-1].said.append(piece)

    def _call(self, call: dict[str, Any], touched: Sequence[Stretch]) -> Stretch:
        given, index = text_or_empty(call.get("id")), call.get("index")
        index = index if isinstance(index, int) else None
        function = call.get("function")
        name = text_or_empty(function.get("name")) if isinstance(function, dict) else ""
        piece = source_of(call)
        stretch = self._calls.get(index)
        # Two that are named in one chunk are two.
        if stretch is None or (name and stretch in touched) or self._is_another(stretch, given, name, piece):
            same = [each for each in self._all if given and each.id == given]
            known = [each for each in same if not name or (each.name == name and not self._is_whole(each))]
            stretch = known[0] if known else Stretch("call")
            if not known:
                self._begin(stretch)
                given = "" if same else given  # said of another already: it gets one of its own
            self._calls[index] = stretch
        stretch.id = stretch.id or given
        stretch.name = stretch.name or name
        if piece and not stretch.closed:
            stretch.said.append(piece)
        elif piece.strip():
            raise unreadable("the arguments of a tool call went on after their end")
        return stretch

    def _is_another(self, stretch: Stretch, given: str, name: str, piece: str) -> bool:
        """Tell whether a piece begins another call though it has the number of one before, or none.

        Some servers number every call 0, or none, and tell them apart by id; some by nothing but that each begins with a name.
        """
        if given and stretch.id:
            return given != stretch.id and bool(name)  # others give every piece an id of its own
        if not name or not stretch.name:
            return False
        return name != stretch.name or (bool(piece.strip()) and self._is_whole(stretch))

    def _begin(self, stretch: Stretch) -> None:
        self._all.append(stretch)
        self._waiting.append(stretch)

    def _steps(self, *, ended: bool) -> list[Step]:
        steps: list[Step] = []
        while self._waiting:
            first = self._waiting[0]
            if not first.opened:
                if first.kind == "call" and not first.name:
                    if not ended:
                        break
                    if self._finish != "length":
                        raise unreadable("a tool call names no function")
                    self._all.remove(self._waiting.popleft())
                    continue
                number = sum(each.kind == "call" and each.opened for each in self._all)
                first.id = first.id or (
                    call_id(None, plain_id(self._id), number) if first.kind == "call" else ""
                )
                first.opened = True
                steps.append(Step("opens", first))
            over = ended or (len(self._waiting) > 1 and self._is_whole(first))
            if over and first.kind == "call" and not first.text.strip():
                first.said = ["{}"]
                first.given = 0
            for piece in first.said[first.given :]:
                steps.append(Step("says", first, piece))
            first.given = len(first.said)
            if not over:
                break
            if first.kind == "call" and self._finish != "length" and arguments_of(first.text) is None:
                raise unreadable("the arguments of a tool call are not a JSON object")
            first.closed = True
            self._waiting.popleft()
            steps.append(Step("closes", first))
        return steps

    def _is_whole(self, stretch: Stretch) -> bool:
        return stretch.kind != "call" or (
            bool(stretch.text.strip()) and arguments_of(stretch.text) is not None
        )


class AnswerEvents(ABC):
    """Turns the chunks of a streamed answer into the events of another format.

    Args:
        request: The request, in the caller's format.
        reasoning: Whether the caller wants to see what was thought.
    """

    def __init__(self, request: dict[str, Any], *, reasoning: bool) -> None:
        self._request = request
        self._pieces = Pieces(reasoning=reasoning)
        self._started = False

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._pieces!r})"

    def feed(self, chunk: dict[str, Any]) -> list[Frame]:
        """Returns the events that a chunk brings; may be none.

        Raises:
            UnsupportedPayload: A tool call in it cannot be given back in the caller's format.
        """
        return self._frames(self._pieces.feed(chunk))

    @property
    def broken(self) -> bool:
        """Whether the answer has broken off, or could not be given back."""
        return self._pieces.broken

    def fail(self) -> None:
        """Have the answer end as one that broke off: something in it could not be given back."""
        self._pieces.broken = True

    def end(self) -> list[Frame]:
        """Returns the events that end the answer, once nothing more comes; an error if it broke off.

        Raises:
            UnsupportedPayload: A tool call in it cannot be given back in the caller's format.
        """
        self._pieces.begun = True
        frames = self._frames(self._pieces.end())
        if self._pieces.broken:
            return [*frames, *self._breaks(self._pieces.said())]
        return [*frames, *self._ends(self._pieces.said())]

    def _frames(self, steps: list[Step]) -> list[Frame]:
        frames: list[Frame] = []
        if self._pieces.begun and not self._started:
            self._started = True
            frames += self._begins(self._pieces.head())
        for step in steps:
            frames += self._step(step)
        return frames

    def _begins(self, said: Said) -> list[Frame]:
        return []

    @abstractmethod
    def _step(self, step: Step) -> list[Frame]:
        """Returns the events for what happens to a stretch."""

    @abstractmethod
    def _ends(self, said: Said) -> list[Frame]:
        """Returns the events that end an answer."""

    @abstractmethod
    def _breaks(self, said: Said) -> list[Frame]:
        """Returns the events for an answer that broke off."""


BROKE_OFF = "the model that the request was rerouted to broke off its answer; ask again"
"""What the caller is told of an answer without an end."""
