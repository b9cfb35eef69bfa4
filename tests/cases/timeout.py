# %% [markdown]
# ```yaml
# expect:
#   status: failed
#   error_at: {step: slow, type: TimeoutError}
#   logs: {slow: started}
# ```
# %%
import time
# %%
%%step slow --timeout 1s
print("started", flush=True)
time.sleep(60)
