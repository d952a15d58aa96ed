"""Log files: creation, rotation, archive, and what happens when the disk does not play along."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest
from msgspec import structs

from reference_server.config.model import LogFileConfiguration
from reference_server.observe.log_file import LogFile, LogFileError, next_midnight

RECORD = b"x" * 249_999 + b"\n"
NOW = 1_000.0  # long before the midnight that ends today: by the clock of a record no day ends


def configured(tmp_path: Path, **changes: int | bool) -> LogFileConfiguration:
    usual = LogFileConfiguration(name=str(tmp_path / "dr.log"), archive=str(tmp_path / "old"), size=1)
    return structs.replace(usual, **changes)


def archived(tmp_path: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in sorted((tmp_path / "old").iterdir())}


@pytest.mark.parametrize(("readable", "mode"), [(False, 0o660), (True, 0o644)])
def test_a_new_file_has_its_mode_whatever_the_umask(tmp_path: Path, readable: bool, mode: int) -> None:
    before = os.umask(0o077)
    try:
        LogFile(configured(tmp_path), globally_readable=readable).close()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "dr.log").stat().st_mode) == mode


def test_directories_are_created_at_any_depth(tmp_path: Path) -> None:
    name = tmp_path / "a" / "b" / "c" / "dr.log"
    file = LogFile(LogFileConfiguration(name=str(name)))
    file.write(b"one\n", NOW)
    assert name.read_bytes() == b"one\n"
    file.close()


def test_a_restart_appends(tmp_path: Path) -> None:
    for text in (b"one\n", b"two\n"):
        file = LogFile(configured(tmp_path))
        file.write(text, NOW)
        file.close()
    assert (tmp_path / "dr.log").read_bytes() == b"one\ntwo\n"


def test_a_full_file_is_archived_before_it_exceeds_its_size(tmp_path: Path) -> None:
    file = LogFile(configured(tmp_path))
    for _ in range(13):
        file.write(RECORD, NOW)
    file.close()
    assert archived(tmp_path) == {"dr.log": 1_000_000, "dr.log00000": 1_000_000, "dr.log00001": 1_000_000}
    assert (tmp_path / "dr.log").stat().st_size == 250_000


def test_a_record_larger_than_the_limit_is_written_whole(tmp_path: Path) -> None:
    file = LogFile(configured(tmp_path))
    file.write(b"y" * 1_500_000, NOW)
    file.write(b"next\n", NOW)
    file.close()
    assert archived(tmp_path) == {"dr.log": 1_500_000}
    assert (tmp_path / "dr.log").read_bytes() == b"next\n"


def test_the_size_counts_what_a_former_run_wrote(tmp_path: Path) -> None:
    (tmp_path / "dr.log").write_bytes(b"z" * 900_000)
    file = LogFile(configured(tmp_path))
    file.write(RECORD, NOW)
    file.close()
    assert archived(tmp_path) == {"dr.log": 900_000}


@pytest.mark.parametrize("limits", [{"max_files": 2}, {"max_size": 2}])
def test_the_archive_keeps_the_newest(tmp_path: Path, limits: dict[str, int]) -> None:
    file = LogFile(configured(tmp_path, **limits))
    for number in range(6):
        content = bytes([ord("0") + number]) * 999_999 + b"\n"
        file.write(content, NOW)
        os.utime(tmp_path / "dr.log", (number, number))
    file.close()
    kept = sorted(path.read_bytes()[:1] for path in (tmp_path / "old").iterdir())
    assert kept == [b"3", b"4"]


def test_the_archive_leaves_space_on_its_disk(tmp_path: Path) -> None:
    file = LogFile(configured(tmp_path, min_size=1_000_000))  # more than any disk of a test has
    for _ in range(3):
        file.write(b"x" * 1_000_000, NOW)
    file.close()
    assert archived(tmp_path) == {}


def test_files_of_others_stay_in_the_archive(tmp_path: Path) -> None:
    archive = tmp_path / "old"
    archive.mkdir()
    for name in ("dr.log.gz", "dr.logbook", "other.log"):
        (archive / name).write_bytes(b"")
    file = LogFile(configured(tmp_path, max_files=1))
    for _ in range(3):
        file.write(b"x" * 1_000_000, NOW)
    file.close()
    assert len(archived(tmp_path)) == 4


def test_the_archive_may_be_the_directory_of_the_log(tmp_path: Path) -> None:
    name = str(tmp_path / "dr.log")
    file = LogFile(LogFileConfiguration(name=name, archive=str(tmp_path), size=1, max_files=2))
    for _ in range(5):
        file.write(b"x" * 1_000_000, NOW)
    file.close()
    assert len(archived_beside := sorted(path.name for path in tmp_path.iterdir())) == 3
    assert archived_beside[0] == "dr.log"


def test_midnight_archives(tmp_path: Path) -> None:
    file = LogFile(configured(tmp_path))
    today = time.time()
    file.write(b"yesterday\n", today)
    file.write(b"today\n", next_midnight(today) + 1)
    file.write(b"still today\n", next_midnight(today) + 2)
    file.close()
    assert archived(tmp_path) == {"dr.log": 10}
    assert (tmp_path / "dr.log").read_bytes() == b"today\nstill today\n"


def test_without_auto_flush_lines_wait_a_second_or_for_the_end(tmp_path: Path) -> None:
    file = LogFile(configured(tmp_path, auto_flush=False))
    path = tmp_path / "dr.log"
    file.write(b"1", NOW)  # a second after none
    file.write(b"2", NOW + 0.5)
    assert path.read_bytes() == b"1"
    file.write(b"3", NOW + 1.0)
    assert path.read_bytes() == b"123"
    file.write(b"4", NOW + 1.1)
    file.close()
    assert path.read_bytes() == b"1234"


def test_a_file_that_was_moved_away_is_begun_anew(tmp_path: Path) -> None:
    file = LogFile(configured(tmp_path))
    file.write(b"x" * 1_000_000, NOW)
    (tmp_path / "dr.log").rename(tmp_path / "moved")
    file.write(b"next\n", NOW)
    file.close()
    assert (tmp_path / "dr.log").read_bytes() == b"next\n"


def test_a_file_that_cannot_be_opened_is_said_clearly(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(LogFileError) as raised:
        LogFile(LogFileConfiguration(name=str(tmp_path / "file" / "dr.log")))
    assert (
        str(raised.value)
        == f"cannot open the log file {tmp_path}/file/dr.log: {tmp_path}/file is no directory"
    )
    with pytest.raises(LogFileError, match="Is a directory"):
        LogFile(LogFileConfiguration(name=str(tmp_path)))


def test_an_archive_that_fails_is_said_once_and_logging_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "old").write_bytes(b"in the way")
    file = LogFile(configured(tmp_path))
    for _ in range(6):
        file.write(RECORD, NOW)
    file.close()
    assert (tmp_path / "dr.log").stat().st_size == 6 * len(RECORD)
    assert capsys.readouterr().err == (
        f"cannot archive the log file {tmp_path}/dr.log in {tmp_path}/old: File exists\n"
    )


def test_a_device_keeps_its_mode_and_its_place() -> None:
    master, slave = os.openpty()
    device = Path(os.ttyname(slave))
    os.fchmod(slave, 0o622)
    file = LogFile(LogFileConfiguration(name=str(device)))
    file.write(b"one\n", NOW)
    file.write(b"two\n", next_midnight(time.time()) + 1)  # the day has ended: a file would be archived now
    file.close()
    wanted = b"one\r\ntwo\r\n"
    shown = b""
    while len(shown) < len(wanted):  # a terminal may hand over each line by itself
        shown += os.read(master, 100)
    assert shown == wanted
    assert stat.S_IMODE(device.stat().st_mode) == 0o622
    os.close(slave)
    os.close(master)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    file = LogFile(LogFileConfiguration(name="/dev/full"))
    file.write(b"lost\n", NOW)
    file.write(b"lost\n", NOW)
    file.close()
    assert capsys.readouterr().err == "cannot write to the log file /dev/full: No space left on device\n"
