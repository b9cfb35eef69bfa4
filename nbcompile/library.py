"""What is known of other people's code: which calls change, alias or merely compute.

The tables speak of names, not types, since a notebook's types are unknown before it runs. They
lean towards what a name nearly always means (`append` changes, `head` does not); what they get
wrong is caught at run time, where the real objects are.
"""

from __future__ import annotations

#: Methods that change the object itself, whether or not their result is used.
CHANGING = frozenset(
    """append extend insert remove pop clear update setdefault add discard popitem sort reverse
    appendleft popleft extendleft rotate subtract intersection_update difference_update
    symmetric_difference_update fill put itemset partition setflags resize byteswap
    fit partial_fit fit_transform fit_predict fit_resample set_params compile build load_weights
    train eval zero_grad step backward requires_grad_ add_module register_buffer load_state_dict
    add_node add_nodes_from add_edge add_edges_from remove_node remove_edge remove_nodes_from
    remove_edges_from add_weighted_edges_from seek write writelines writerow writerows truncate
    set_title set_xlabel set_ylabel set_xlim set_ylim put_nowait send throw seed shuffle
    __setitem__ __delitem__ __setattr__ move_to_end""".split()
)

#: Changing methods that reach through the object into what it holds.
CHANGING_DEEP = frozenset(
    """fit partial_fit fit_transform fit_predict set_params train eval zero_grad step backward
    load_state_dict""".split()
)

#: Changing methods whose arguments the object holds afterwards.
KEEPING = frozenset(
    """append extend insert update setdefault add appendleft extendleft put add_module
    register_buffer __setitem__ put_nowait add_node add_nodes_from add_edge""".split()
)

#: Methods that change nothing, even where a bare call of one looks as if it did.
HARMLESS = frozenset(
    """head tail info describe plot hist boxplot show display copy mean sum min max std var median
    mode count nunique unique value_counts corr cov quantile items keys values get index find
    startswith endswith split rsplit join strip lstrip rstrip lower upper title replace format
    encode decode isdigit to_csv to_parquet to_json to_excel to_pickle to_html to_markdown
    to_string to_dict to_numpy to_list tolist to_sql savefig save summary print describe_option
    predict predict_proba predict_log_proba decision_function score transform inverse_transform
    get_params evaluate groupby sample nlargest nsmallest isna isnull notna dropna fillna merge
    memory_usage equals any all round abs astype shape dot item numel dim size cpu detach numpy
    exists is_file is_dir read_text write_text read_bytes write_bytes mkdir unlink glob iterdir
    resolve items isoformat strftime timestamp total_seconds date time most_common elements
    issubset issuperset isdisjoint union intersection difference symmetric_difference
    debug info warning error critical exception log getvalue sort_values sort_index reset_index
    set_index rename drop assign query filter pivot pivot_table melt stack unstack apply map
    applymap agg aggregate pipe rolling expanding resample shift diff cumsum cumprod rank clip
    nodes edges degree neighbors subgraph number_of_nodes number_of_edges""".split()
)

#: Methods whose result shares nothing with the object.
FRESH = (
    HARMLESS
    - frozenset("values items get keys copy index nodes edges filter map to_numpy numpy".split())
) | frozenset(
    """fit_transform fit_predict predict transform flatten repeat cumsum argsort argmax argmin
    nonzero choose compress ptp prod trace conj isin duplicated drop_duplicates explode join
    to_frame interpolate bfill ffill get_dummies cut where mask combine_first corrwith pct_change
    select_dtypes infer_objects convert_dtypes to_datetime to_period tz_localize tz_convert
    random integers normal uniform choice permutation standard_normal read readline readlines
    hexdigest digest encode decode sqrt clone deepcopy""".split()
)

#: Changing methods that return None.
RETURNING_NONE = frozenset(
    """append extend insert remove clear update add discard sort reverse appendleft extendleft
    rotate subtract fill intersection_update difference_update symmetric_difference_update
    zero_grad writelines writerow writerows""".split()
)

#: Methods whose result is a view of the object's own memory.
VIEWS = frozenset(
    """reshape ravel view transpose swapaxes squeeze diagonal flat expand_dims movedim permute
    narrow unsqueeze t contiguous expand getfield newbyteorder""".split()
)

#: Calls that make objects which every use changes: generators of random numbers and the like.
STATEFUL = frozenset(
    """numpy.random.default_rng numpy.random.RandomState numpy.random.Generator
    numpy.random.SeedSequence random.Random torch.Generator itertools.count itertools.cycle
    faker.Faker""".split()
)

#: Calls that make figures and axes, which nearly every method call changes.
FIGURES = frozenset(
    """matplotlib.pyplot.figure matplotlib.pyplot.subplots matplotlib.pyplot.subplot
    matplotlib.pyplot.gca matplotlib.pyplot.gcf matplotlib.pyplot.axes
    matplotlib.pyplot.subplot_mosaic matplotlib.figure.Figure plotly.graph_objects.Figure
    plotly.subplots.make_subplots""".split()
)

#: Decorators that remember results: calling the function again need not run it again.
CACHING = frozenset("lru_cache cache memoize cached".split())

#: Methods that return the object itself.
RETURNING_SELF = frozenset(
    """fit partial_fit set_params train eval to cuda cpu double float half requires_grad_
    set add_module""".split()
)

#: Attributes that are plain facts about an object, sharing nothing.
PLAIN_ATTRIBUTES = frozenset(
    """shape ndim size dtype dtypes name names columns empty nbytes itemsize __name__ __doc__
    __class__ real imag stem suffix parent year month day""".split()
)

#: Functions of libraries that change an argument (its position), by dotted name.
CHANGING_FUNCTIONS: dict[str, int] = {
    "random.shuffle": 0,
    "numpy.random.shuffle": 0,
    "heapq.heappush": 0,
    "heapq.heappop": 0,
    "heapq.heapify": 0,
    "heapq.heapreplace": 0,
    "heapq.heappushpop": 0,
    "bisect.insort": 0,
    "bisect.insort_left": 0,
    "bisect.insort_right": 0,
    "numpy.fill_diagonal": 0,
    "numpy.put": 0,
    "numpy.place": 0,
    "numpy.copyto": 0,
    "numpy.putmask": 0,
    "numpy.put_along_axis": 0,
    "operator.setitem": 0,
    "operator.delitem": 0,
    "operator.iadd": 0,
    "operator.ior": 0,
    "operator.imul": 0,
    "networkx.set_node_attributes": 0,
    "networkx.set_edge_attributes": 0,
    "networkx.relabel_nodes": 0,
    "dict.update": 0,
    "list.append": 0,
    "list.extend": 0,
    "list.sort": 0,
    "list.insert": 0,
    "set.add": 0,
}

#: Library functions whose result may share memory with their arguments.
ALIASING_FUNCTIONS = frozenset(
    """numpy.asarray numpy.asanyarray numpy.ascontiguousarray numpy.ravel numpy.reshape
    numpy.atleast_1d numpy.atleast_2d numpy.atleast_3d numpy.squeeze numpy.transpose
    numpy.broadcast_to numpy.swapaxes numpy.moveaxis numpy.expand_dims numpy.split numpy.diag
    numpy.lib.stride_tricks.sliding_window_view numpy.lib.stride_tricks.as_strided
    numpy.frombuffer torch.from_numpy torch.as_tensor typing.cast operator.itemgetter
    operator.attrgetter copy.copy itertools.chain itertools.cycle itertools.islice itertools.tee
    itertools.product itertools.repeat itertools.zip_longest collections.ChainMap
    types.MappingProxyType functools.reduce""".split()
)

#: Library functions that are no constructors by name, yet hold what they are given.
HOLDING_FUNCTIONS = frozenset(
    """functools.partial sklearn.pipeline.make_pipeline sklearn.pipeline.make_union
    sklearn.compose.make_column_transformer dataclasses.replace types.SimpleNamespace
    functools.lru_cache functools.cache functools.wraps operator.methodcaller collections.deque
    collections.defaultdict collections.namedtuple contextlib.closing weakref.ref""".split()
)

#: Modules whose capitalised names copy what they are given.
COPYING_MODULES = frozenset({"pandas", "polars", "datetime", "decimal", "fractions", "pathlib"})

#: Builtins whose result holds the elements of their arguments but is a new object.
SHALLOW_BUILTINS = frozenset(
    "list tuple set frozenset dict sorted reversed enumerate zip map filter iter".split()
)
#: Builtins that return one of the elements of their arguments.
PICKING_BUILTINS = frozenset("max min next getattr".split())

#: Calls that start a chain of pandas values, which copy on write.
PANDAS_ROOTS = ("pandas.", "geopandas.", "polars.")

#: Calls that return None: a cell that ends in one shows nothing, binds nothing of worth.
FILE_READERS = frozenset(
    """open pandas.read_csv pandas.read_parquet pandas.read_json pandas.read_excel
    pandas.read_pickle pandas.read_feather numpy.load numpy.loadtxt numpy.genfromtxt joblib.load
    polars.read_csv polars.read_parquet""".split()
)
FILE_WRITERS = frozenset(
    """numpy.save numpy.savez numpy.savez_compressed numpy.savetxt joblib.dump
    shutil.copy shutil.copyfile""".split()
)
FILE_WRITING_METHODS = frozenset(
    """to_csv to_parquet to_json to_excel to_pickle to_feather savefig write_csv
    write_parquet""".split()
)

#: Values that no other process can use, by the call that makes them.
PROCESS_BOUND: dict[str, str] = {
    "open": "an open file",
    "iter": "an iterator",
    "threading.Lock": "a lock",
    "threading.RLock": "a lock",
    "threading.Condition": "a lock",
    "threading.Semaphore": "a lock",
    "threading.Event": "a thread's event",
    "threading.Thread": "a thread",
    "multiprocessing.Lock": "a lock",
    "multiprocessing.Pool": "a process pool",
    "concurrent.futures.ThreadPoolExecutor": "a thread pool",
    "concurrent.futures.ProcessPoolExecutor": "a process pool",
    "queue.Queue": "a queue between threads",
    "socket.socket": "a socket",
    "socket.create_connection": "a socket",
    "sqlite3.connect": "a database connection",
    "psycopg.connect": "a database connection",
    "psycopg2.connect": "a database connection",
    "duckdb.connect": "a database connection",
    "subprocess.Popen": "a child process",
    "requests.Session": "an HTTP session",
    "distributed.Client": "a cluster's client",
    "dask.distributed.Client": "a cluster's client",
}
