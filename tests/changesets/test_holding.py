"""Holding a name: others see it while the holder lives."""

import subprocess
import sys
import threading

import pytest
from django.db import connection

from apps.changesets.processes.holding import hold_file, holding, is_file_held, is_held, release_file, scratch_folder

pytestmark = pytest.mark.django_db(transaction=True)


def from_another_thread(ask) -> bool:
    answers: list[bool] = []

    def run() -> None:
        answers.append(ask())
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return answers[0]


def test_a_name_is_held_for_the_length_of_the_block() -> None:
    assert not is_held("a test")

    with holding("a test"):
        assert from_another_thread(lambda: is_held("a test"))
        assert not is_held("another test")

    assert not is_held("a test")


def test_an_error_lets_go() -> None:
    with pytest.raises(ValueError, match="broken"), holding("a test"):
        raise ValueError("broken")

    assert not is_held("a test")


def test_who_dies_lets_go_of_a_file_and_a_child_may_inherit_it(tmp_path) -> None:
    lock = hold_file(tmp_path / "lock")
    assert lock is not None
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=[lock]) as child:
        release_file(lock)
        assert is_file_held(tmp_path / "lock")
        assert hold_file(tmp_path / "lock") is None
        child.kill()

    assert not is_file_held(tmp_path / "lock")


def test_of_many_at_once_one_gets_the_file(tmp_path) -> None:
    locks: list[int | None] = []
    threads = [threading.Thread(target=lambda: locks.append(hold_file(tmp_path / "lock"))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len([lock for lock in locks if lock is not None]) == 1


def test_the_folder_of_a_process_that_was_killed_goes_with_the_next_one(tmp_path) -> None:
    with scratch_folder(tmp_path, prefix="import-") as living:
        for name in ("import-killed", "another"):
            (tmp_path / name).mkdir()
        with scratch_folder(tmp_path, prefix="import-"):
            pass
        left = {path.name for path in tmp_path.iterdir()}

    assert left == {living.name, "another"}
    assert not living.exists()
