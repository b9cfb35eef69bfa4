/**
 * The JSON shapes of the server's routes, as `jupyter_ext/nbflow_jupyter/wire/` has them.
 *
 * Each shape has the name it has there with an `I` before it, and the same fields; a test
 * compares the two. Times are seconds since the epoch, sizes are bytes, cells count from 0 and
 * lines from 1.
 */

export * from './common';
export * from './flags';
export * from './notebooks';
export * from './runs';
export * from './tasks';
