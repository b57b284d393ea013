DAY = "2024-01-20"


def test_with_nothing_to_watch_yet_a_drill_is_skipped(world):
    ended = world.run("drill", partition=DAY).task("drill")
    assert ended.state == "skipped"
    assert not (world.home / "lake" / "drills").exists()


def test_a_drill_without_a_partition_says_what_to_do(world):
    ended = world.run("drill").task("drill")
    assert ended.state == "failed"
    assert "fill in the form's field `Partition`" in str(ended.error)
