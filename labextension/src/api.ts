/** The server's routes as typed functions. */

import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import { IFilter } from './models/runlist';
import {
  ICancelled,
  IChanges,
  ICode,
  ICompare,
  ICompiled,
  ICompileRequest,
  IDiagnostic,
  IFacets,
  IFlags,
  IGraph,
  IHeatStrip,
  IInfo,
  IInteractiveTasks,
  ILogChunk,
  INotebookState,
  IOutputs,
  IParameters,
  IProblem,
  IResumeRequest,
  IRunDetail,
  IRunPage,
  IStarted,
  IStartRequest,
  ISteps,
  IStores,
  ITagRequest,
  ITags,
  ITaskDetail,
  ITaskPage,
  Part
} from './wire';

type Query = Record<string, string | number | readonly string[] | null | undefined>;

/** A task of a run. */
export interface ITaskId {
  step: string;
  key: string;
  part?: Part;
}

/** An answer that says what is wrong, with the diagnostics where there are any. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly diagnostics: readonly IDiagnostic[]
  ) {
    super(message);
  }
}

/** Everything that can be asked of the server about one store. `run` is a path: `churn/42`. */
export class Api {
  constructor(
    private readonly settings: ServerConnection.ISettings,
    readonly store = ''
  ) {}

  /** The same about another store. */
  at(store: string): Api {
    return store === this.store ? this : new Api(this.settings, store);
  }

  stores = (): Promise<IStores> => this.get('stores');

  info = (): Promise<IInfo> => this.get('info');

  runs = (filter: IFilter, cursor: string | null, limit: number): Promise<IRunPage> =>
    this.get('runs', { ...filter, cursor, limit });

  facets = (): Promise<IFacets> => this.get('facets');

  run = (run: string): Promise<IRunDetail> => this.get(this.of(run));

  flags = (run: string): Promise<IFlags> => this.get(this.of(run, 'flags'));

  graph = (run: string): Promise<IGraph> => this.get(this.of(run, 'graph'));

  steps = (run: string): Promise<ISteps> => this.get(this.of(run, 'steps'));

  strip = (run: string, step: string): Promise<IHeatStrip> =>
    this.get(this.of(run, 'strip'), { step });

  tasks = (run: string, query: Query): Promise<ITaskPage> =>
    this.get(this.of(run, 'tasks'), query);

  task = (run: string, task: ITaskId): Promise<ITaskDetail> =>
    this.get(this.of(run, 'task'), { ...task });

  log = (run: string, task: ITaskId, query: Query): Promise<ILogChunk> =>
    this.get(this.of(run, 'log'), { ...task, ...query });

  outputs = (run: string, task: ITaskId): Promise<IOutputs> =>
    this.get(this.of(run, 'outputs'), { ...task });

  code = (run: string): Promise<ICode> => this.get(this.of(run, 'code'));

  compare = (runs: readonly string[]): Promise<ICompare> =>
    this.get('compare', { run: runs });

  notebook = (path: string): Promise<INotebookState> => this.get('notebook', { path });

  interactive = (path: string, step: string): Promise<IInteractiveTasks> =>
    this.get('interactive', { path, step });

  parameters = (notebook: string): Promise<IParameters> =>
    this.get('parameters', { notebook });

  changes = (since: number): Promise<IChanges> => this.get('changes', { since });

  compile = (request: ICompileRequest): Promise<ICompiled> =>
    this.send('POST', 'compile', request);

  start = (request: IStartRequest): Promise<IStarted> =>
    this.send('POST', 'runs', request);

  resume = (run: string, request: IResumeRequest = {}): Promise<IStarted> =>
    this.send('POST', this.of(run, 'resume'), request);

  cancel = (run: string): Promise<ICancelled> =>
    this.send('POST', this.of(run, 'cancel'), {});

  tag = (run: string, request: ITagRequest): Promise<ITags> =>
    this.send('POST', this.of(run, 'tags'), request);

  remove = (run: string): Promise<void> => this.send('DELETE', this.of(run));

  /** The package that a saved notebook compiles to, as a zip file, and its name. */
  async package(notebook: string): Promise<{ name: string; data: Blob }> {
    const url = this.address(this.settings.baseUrl, 'export', { notebook });
    const response = await this.fetch(url, {});
    const named = /filename="([^"]+)"/.exec(
      response.headers.get('Content-Disposition') ?? ''
    );
    return { name: named?.[1] ?? 'package.zip', data: await response.blob() };
  }

  /** Address of something that the browser loads by itself: an image, a page, a download. */
  url(run: string, route: string, query: Query = {}): string {
    return this.address(this.settings.baseUrl, this.of(run, route), query, true);
  }

  /** Address of a user's HTML for a frame: without the token, which its scripts could read. */
  frame(run: string, query: Query): string {
    return this.address(this.settings.baseUrl, this.of(run, 'output.html'), query);
  }

  /** A socket that tells every change. */
  socket(): WebSocket {
    return new this.settings.WebSocket(
      this.address(this.settings.wsUrl, 'stream', {}, this.settings.appendToken)
    );
  }

  private of(run: string, route = ''): string {
    const [flow, number] = [
      run.slice(0, run.lastIndexOf('/')),
      run.slice(run.lastIndexOf('/') + 1)
    ];
    return `runs/${encodeURIComponent(flow)}/${number}${route && `/${route}`}`;
  }

  private address(base: string, route: string, query: Query, token = false): string {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      for (const one of Array.isArray(value) ? value : [value]) {
        if (one !== null && one !== undefined && one !== '') {
          search.append(name, String(one));
        }
      }
    }
    if (this.store) {
      search.append('store', this.store);
    }
    if (token && this.settings.token) {
      search.append('token', this.settings.token);
    }
    const text = search.toString();
    return URLExt.join(base, 'nbflow/api', route) + (text && `?${text}`);
  }

  private get<T>(route: string, query: Query = {}): Promise<T> {
    return this.ask<T>(this.address(this.settings.baseUrl, route, query), {});
  }

  private send<T>(method: string, route: string, body?: object): Promise<T> {
    return this.ask<T>(this.address(this.settings.baseUrl, route, {}), {
      method,
      ...(body && { body: JSON.stringify(body) })
    });
  }

  private async ask<T>(url: string, init: RequestInit): Promise<T> {
    const response = await this.fetch(url, init);
    return response.status === 204 ? (undefined as T) : ((await response.json()) as T);
  }

  private async fetch(url: string, init: RequestInit): Promise<Response> {
    const response = await ServerConnection.makeRequest(url, init, this.settings);
    if (response.ok) {
      return response;
    }
    let problem: Partial<IProblem> = {};
    try {
      problem = (await response.json()) as IProblem;
    } catch {
      // a proxy's page, say
    }
    throw new ApiError(
      response.status,
      problem.message || `${response.status} ${response.statusText}`,
      problem.diagnostics ?? []
    );
  }
}
