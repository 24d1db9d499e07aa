"""Make the moving pictures of docs/screenshots anew: import, review, undo; a revert with kept rows; the world map.

`uv run python -m docs.moving_pictures` films the demo, and needs the program ffmpeg. Names behind it (`world-map`)
make only these.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from docs.screenshots import FOLDER, demo, opened, work_of_a_week, write_later_snapshot

WIDTH, HEIGHT = 1100, 700
# Around what is pressed next, so that one sees why the page changes. The policy of the console allows no style as text.
MARK = "(target, outline) => { target.style.outline = outline; target.style.outlineOffset = '3px'; }"


def main(wanted: list[str]) -> None:
    """Make what the command line names, or all, in the order in which one leaves something for the next."""
    with tempfile.TemporaryDirectory() as name, demo(Path(name)) as address:
        import django

        django.setup()
        session, _ = work_of_a_week(Path(name))
        write_later_snapshot(Path(name) / "ourairports-2022-11-08.csv.gz")
        with opened(address, session, width=WIDTH, height=HEIGHT) as page:
            for story in (revert_with_kept_rows, world_map, import_review_undo):
                title = story.__name__.replace("_", "-")
                if not wanted or title in wanted:
                    page.goto(f"{address}/admin/")
                    film = Film(page, Path(name) / title)
                    story(film, Path(name))
                    film.save(FOLDER / f"{title}.webp")


class Film:
    """Takes a frame of the page at each step, and joins them."""

    def __init__(self, page: Page, folder: Path) -> None:
        self.page, self.folder = page, folder
        self.frames: list[str] = []
        folder.mkdir()

    def show(self, seconds: float = 2) -> None:
        """Keep what is seen now for so long."""
        path = self.folder / f"{len(self.frames):03}.png"
        self.page.screenshot(path=path, animations="disabled")
        self.frames.append(f"file '{path}'\nduration {seconds}\n")

    def press(self, target: Locator) -> None:
        """Show what is pressed, press it, and wait for what comes of it."""
        target = target.first
        target.scroll_into_view_if_needed()
        target.evaluate(MARK, "4px solid #d97706")
        self.show(1.4)
        target.evaluate(MARK, "")
        target.click()
        self.page.wait_for_load_state()

    def write(self, label: str, text: str) -> None:
        """Type a text."""
        box = self.page.get_by_label(label).first
        box.fill(text)
        box.scroll_into_view_if_needed()
        self.show(1.2)

    def save(self, path: Path) -> None:
        """Join the frames to an animated WebP that goes round; the last stays longest."""
        self.show(4)
        listed = self.folder / "frames.txt"
        listed.write_text("".join([*self.frames, self.frames[-1].split("\n")[0]]))
        command = ["ffmpeg", "-v", "error", "-y", "-f", "concat", "-safe", "0", "-i", str(listed), "-fps_mode", "vfr"]
        command += ["-c:v", "libwebp_anim", "-q:v", "60", "-compression_level", "6", "-loop", "0", str(path)]
        subprocess.run(command, check=True)  # noqa: S603


def import_review_undo(film: Film, folder: Path) -> None:
    """A file is looked at and imported, and its changeset is reverted."""
    page = film.page
    film.show()
    film.press(page.get_by_role("link", name="Import airports…"))
    page.get_by_label("File", exact=True).set_input_files(folder / "ourairports-2022-11-08.csv.gz")
    film.write("Why", "November refresh")
    film.press(page.get_by_role("button", name="Look at the file"))
    expect(page.get_by_role("heading", name="This import will mean")).to_be_visible()
    film.show(3)
    film.press(page.get_by_role("link", name=re.compile("^Kept corrections")))
    film.show()
    film.press(page.get_by_role("button", name=re.compile(r"^Import [\d,]+ changes?$")))
    expect(page.get_by_role("heading", name="What was left alone")).to_be_visible()
    film.show()
    film.press(page.get_by_role("button", name="Revert…"))
    expect(page.get_by_role("heading", name=re.compile("will mean$"))).to_be_visible()
    film.show()
    _revert(film, "the wrong Friday")


def revert_with_kept_rows(film: Film, folder: Path) -> None:
    """A changeset is reverted, and what a colleague changed since stays."""
    page = film.page
    film.press(page.get_by_role("row", name="Names as the airports write them").get_by_role("button", name="Revert"))
    expect(page.get_by_role("heading", name=re.compile("will mean$"))).to_be_visible()
    film.show(3)
    page.locator(".rows-form").first.scroll_into_view_if_needed()
    film.show(3)
    _revert(film, "people search for the word Airport")


def _revert(film: Film, reason: str) -> None:
    film.write("Why", reason)
    film.press(film.page.get_by_role("button", name=re.compile(r"^Revert [\d,]+ ")))
    expect(film.page.get_by_role("heading", name="What this revert did")).to_be_visible()


def world_map(film: Film, folder: Path) -> None:
    """The map of the first page: nearer, then what is wrong, then what the last changeset did."""
    page = film.page
    page.locator(".world-map").evaluate("map => map.scrollIntoView()")
    for target in (*[page.get_by_role("button", name="Zoom in")] * 2, page.get_by_role("radio", name="Finding")):
        _drawn(film)
        film.press(target)
    _drawn(film)
    film.press(page.get_by_role("button", name="All", exact=True))
    _drawn(film)
    film.press(page.get_by_role("radio", name="Type", exact=True))
    _drawn(film)


def _drawn(film: Film) -> None:
    expect(film.page.locator("[data-drawn]")).to_be_visible()
    expect(film.page.locator("[data-says]").first).not_to_contain_text("Loading")
    film.page.wait_for_timeout(900)
    film.show()


if __name__ == "__main__":
    main(sys.argv[1:])
