# %% [markdown]
# ```yaml
# expect:
#   status: succeeded
#   values: {flaky/tries: 2}
# ```
# %%
import pathlib
# %%
%%step prepare
folder = pathlib.Path(__import__("tempfile").mkdtemp())
# %%
%%step flaky --retry 2
marker = folder / "tried"
if not marker.exists():
    marker.write_text("1")
    raise RuntimeError("the first time")
tries = 1 + int(marker.read_text())
