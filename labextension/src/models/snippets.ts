/** The cells that bring something of a run into a notebook. */

/** A variable of a task, by the path of its artifact: `churn/42/train/3/score`. */
export function artifactSource(path: string, name: string): string {
  const parts = path.split('/');
  const [flow, number, step] = parts;
  const key = parts.length === 5 ? parts[3] : '';
  const task = `nbflow.Run("${flow}/${number}")["${step}"]`;
  return `import nbflow\n${name} = ${key ? `${task}.task("${key}")` : task}.${name}\n${name}`;
}

/** The exact inputs of a task, in the notebook's namespace. */
export function inputsSource(run: string, step: string, key: string): string {
  return `%load_ext nbflow\n%nbflow load ${run}/${step}${key && `/${key}`}`;
}
