"""What was changed, by whom and when: a file of JSON Lines for each run, written as the run goes.

The intent of a write is on file before the write leaves, its outcome after the answer. A file for each run
keeps rotation to deleting whole files, and a list to the first and last line of each.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import KW_ONLY, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from proxyctl import files
from proxyctl.clock import Clock, SystemClock
from proxyctl.errors import NotFoundError, OutputError
from proxyctl.state.lines import Clean, Facts, line_of, parse_line, read_detail, summary_of
from proxyctl.state.record import Intent, Outcome, RunDetail, RunInfo, RunSummary

DAY = 86_400.0
MAX_AGE = 90 * DAY
TAIL = 16_384
ID = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9]{3}")


class RunRecorder:
    """The record of a run under way. Each method writes one line; OutputError when it can't be written."""

    def __init__(self, path: Path, descriptor: int, clock: Clock, clean: Clean = str) -> None:
        self.id = path.stem
        self._path = path
        self._descriptor: int | None = descriptor
        self._clock, self._clean = clock, clean
        self._torn = False

    def intent(self, index: int, intent: Intent) -> None:
        """Item ``index`` is about to be written."""
        self._write("intent", intent, index=index)

    def outcome(self, index: int, outcome: Outcome) -> None:
        """What became of it."""
        self._write("outcome", outcome, index=index)

    def refused(self, index: int, facts: Mapping[str, object]) -> None:
        """Item ``index`` failed before anything was sent for it: its names, ``code`` and ``message``."""
        self._write("refused", facts, index=index)

    def end(self, summary: Mapping[str, int], exit_code: int, **facts: object) -> None:
        """The run is over; the only line that is waited for until it is on the disk.

        ``facts`` are its ``seconds``, and the ``message`` of its error.
        """
        self._write("end", {"exit_code": exit_code, "summary": summary, **facts})
        assert self._descriptor is not None
        try:
            with files.writing(self._path):
                os.fsync(self._descriptor)
        finally:
            self.close()

    def close(self) -> None:
        """Leave the record as it is; a run without an end counts as broken off."""
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)

    def _write(self, kind: str, facts: Facts, **more: object) -> None:
        if self._descriptor is None:
            raise OutputError(f"the history record {self.id} is closed")
        now = datetime.fromtimestamp(self._clock.now(), UTC).isoformat(timespec="milliseconds")
        line = line_of(kind, now.replace("+00:00", "Z"), facts, self._clean, **more)
        if self._torn:
            line = b"\n" + line  # a new line begins, whatever was left of the last
        with files.writing(self._path):
            written = os.write(self._descriptor, line)
        self._torn = written < len(line)
        if self._torn:
            raise OutputError(f"{self._path} can't be written: the disk is full")


@dataclass(frozen=True, slots=True)
class History:
    """The records of all runs in ``directory``, which is made when the first run begins.

    ``clean`` takes secrets out of what is recorded.
    """

    directory: Path
    _: KW_ONLY
    clock: Clock = field(default_factory=SystemClock)
    max_bytes: int = 50_000_000
    clean: Clean = str

    def begin(self, info: RunInfo, server_now: float | None = None) -> RunRecorder:
        """Open the record of a new run, after rotating old ones away (see `outdated_before`). Raises OutputError.

        ``server_now`` is the server's clock, where an answer of it was seen.
        """
        files.state_directory(self.directory)
        self._rotate(server_now)
        path, descriptor = self._create()
        recorder = RunRecorder(path, descriptor, self.clock, self.clean)
        try:
            recorder._write("run", info, id=path.stem, pid=os.getpid())
            with suppress(OSError):  # it says that the run is alive, no more
                files.take_lock(descriptor, self.clock, 1.0, pause=0.01)
        except OutputError:
            recorder.close()
            raise
        return recorder

    def _create(self) -> tuple[Path, int]:
        """A new file; its name, unique among processes, is the time of its making in milliseconds."""
        milliseconds = int(self.clock.now() * 1000)
        while True:
            path = self.directory / f"{_id_of(milliseconds)}.jsonl"
            try:
                return path, files.open_private(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND)
            except FileExistsError:
                milliseconds += 1
            except OSError as error:
                raise files.unwritable(path, error) from error

    def runs(self, since: float | None = None) -> Iterator[RunSummary]:
        """All runs, newest first; of those begun at ``since`` (seconds of the epoch) or later."""
        first = _id_of(int(since * 1000)) if since is not None else ""
        for path in self._files():
            if path.stem < first:
                return
            yield self._summary(path)

    def show(self, run_id: str) -> RunDetail:
        """One run with its items. ``run_id`` may be the beginning of an id, if only one run has it.

        Raises NotFoundError.
        """
        path = self._find(run_id)
        try:
            with open(files.open_private(path, os.O_RDONLY), "rb") as file:
                return read_detail(path.stem, file, alive=files.is_locked(file.fileno()))
        except OSError as error:
            raise NotFoundError(f"the record of run {run_id} can't be read: {error.strerror}") from error

    def prune(self, older_than: float) -> int:
        """Delete the records of runs begun before ``older_than`` (seconds of the epoch); says how many."""
        last = _id_of(int(older_than * 1000))
        gone = [path for path in self._files() if path.stem < last and not self._under_way(path)]
        for path in gone:
            self._delete(path)
        return len(gone)

    def forget(self, run_id: str) -> None:
        """Delete the record of one run. Raises OutputError."""
        self._delete(self.directory / f"{run_id}.jsonl")

    def _files(self) -> list[Path]:
        """The records, newest first; anything else in the directory is none of ours. StateError: nor is that."""
        files.refuse_foreign(self.directory)
        try:
            names = [entry.name for entry in os.scandir(self.directory)]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise OutputError(f"{self.directory} can't be read: {error.strerror}") from error
        records = [name for name in names if name.endswith(".jsonl") and ID.fullmatch(name[:-6])]
        return [self.directory / name for name in sorted(records, reverse=True)]

    def _find(self, run_id: str) -> Path:
        found = [path for path in self._files() if path.stem.startswith(run_id)] if run_id else []
        if len(found) == 1:
            return found[0]
        problem = "is not in the history" if not found else f"is the beginning of {len(found)} runs"
        raise NotFoundError(f"run {run_id!r} {problem}", hint="'proxyctl history list' shows the IDs")

    def _summary(self, path: Path) -> RunSummary:
        """From the first line and the end of the file alone."""
        try:
            with open(files.open_private(path, os.O_RDONLY), "rb") as file:
                descriptor = file.fileno()
                size = os.fstat(descriptor).st_size
                head = os.pread(descriptor, TAIL, 0).split(b"\n", 1)[0]
                tail = os.pread(descriptor, TAIL, max(0, size - TAIL)).rstrip(b"\n").rsplit(b"\n", 1)[-1]
                alive = files.is_locked(descriptor)
        except OSError as error:
            return summary_of(path.stem, None, None, alive=False, warning=str(error.strerror))
        return summary_of(path.stem, parse_line(head), parse_line(tail), alive=alive)

    def _rotate(self, server_now: float | None) -> None:
        """Keep ``MAX_AGE`` and ``max_bytes``; a run under way is never touched."""
        records = self._files()
        oldest = _id_of(int(outdated_before(MAX_AGE, self.clock.now(), server_now) * 1000))
        total = 0
        for path in records:
            try:
                total += path.lstat().st_size
            except OSError:
                continue  # another process rotated it away
            if (path.stem < oldest or total > self.max_bytes) and not self._under_way(path):
                with suppress(OutputError):  # what can't be tidied away is no reason to do nothing
                    self._delete(path)

    def _under_way(self, path: Path) -> bool:
        try:
            with open(files.open_private(path, os.O_RDONLY), "rb") as file:
                return files.is_locked(file.fileno())
        except OSError as error:
            return files.ran_out_of_files(error)  # then nobody knows

    def _delete(self, path: Path) -> None:
        with files.writing(path):
            path.unlink(missing_ok=True)


def outdated_before(max_age: float, now: float, server_now: float | None) -> float:
    """Return the moment before which what was kept is old enough to go (seconds of the epoch).

    Age counts by the earlier of our clock and the server's. Where no answer has shown the server's, nothing is
    outdated: our clock may be ahead.
    """
    return 0.0 if server_now is None else min(now, server_now) - max_age


def _id_of(milliseconds: int) -> str:
    seconds, rest = divmod(max(0, milliseconds), 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y%m%d-%H%M%S}-{rest:03d}"
