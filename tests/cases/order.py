# %% [markdown]
# ```yaml
# expect:
#   status: succeeded
#   depends: [[second, first]]
#   parallel: [[second, other], [first, other]]
#   logs: {second: found it, second_lines: 1}
# ```
# %%
import pathlib, tempfile
NOTE = "nbflow-case-order.txt"
# %%
%%step first
pathlib.Path(tempfile.gettempdir(), NOTE).write_text("found it\n");
# %%
%%step second --after first
print(pathlib.Path(tempfile.gettempdir(), NOTE).read_text(), end="")
# %%
%%step other
x = 1
