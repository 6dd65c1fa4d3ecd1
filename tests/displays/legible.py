"""No text of a picture overlaps another or leaves the picture."""


def visible_texts(ax):
    """All texts of an axes that are drawn; Matplotlib keeps tick labels outside the view, too."""
    texts = [*ax.texts, ax._left_title]
    if ax.axison:
        texts += [ax.xaxis.label, ax.yaxis.label]
        for axis, (low, high) in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim())):
            texts += [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
    return [text for text in texts if text.get_visible() and text.get_text().strip()]


def assert_legible(shown):
    shown.figure_.draw_without_rendering()
    renderer = shown.figure_.canvas.get_renderer()
    width, height = shown.figure_.canvas.get_width_height()
    boxes = [(t.get_text(), t.get_window_extent(renderer)) for ax in shown.axes_ for t in visible_texts(ax)]
    for i, (one, a) in enumerate(boxes):
        assert -1 <= a.x0 <= a.x1 <= width + 1, f"{one!r} leaves the picture"
        assert -1 <= a.y0 <= a.y1 <= height + 1, f"{one!r} leaves the picture"
        for other, b in boxes[i + 1 :]:
            across, along = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
            # A line of text has some white above and below: an eighth of it may be shared.
            assert across <= 1 or along <= min(a.height, b.height) / 8, f"{one!r} overlaps {other!r}"
