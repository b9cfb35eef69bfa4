/** Wire, flags: what is out of the ordinary in a run. */

/**
 * One thing that is far from what it was. `message` has names between backticks.
 *
 * `kind` is one of `empty nan columns type failed rows shape missing metric constant skipped tasks
 * mean new duration`. `name` is null where it is the step itself. `weight`, from about 1 to 12,
 * tells how much it matters; from 7 on it is a warning. `also` names columns, or variables as
 * `step/name`, to which the same has happened.
 */
export interface IFlag {
  kind: string;
  step: string;
  name: string | null;
  column: string | null;
  message: string;
  weight: number;
  also: string[];
}

/** What else has changed since an earlier run; `code` are the steps whose code has. */
export interface ISince {
  run: string;
  parameters: string[];
  code: string[];
  packages: string[];
}

/**
 * What is out of the ordinary in a run, what matters most first.
 *
 * `against` are the paths of the runs that it was held against, newest first; `since` is about the
 * newest. All are empty while the run goes on.
 */
export interface IFlags {
  run: string;
  against: string[];
  flags: IFlag[];
  since: ISince | null;
}
