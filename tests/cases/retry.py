# %% [markdown]
# ```yaml
# expect:
#   status: succeeded
#   values: {flaky/tries: 2}
# ```
# %%
import pathlib, tempfile
# %%
%%step prepare
folder = pathlib.Path(tempfile.mkdtemp())
# %%
%%step flaky --retry 2
marker = folder / "tried"
if not marker.exists():
    marker.write_text("1")
    raise RuntimeError("the first time")
tries = 1 + int(marker.read_text())
