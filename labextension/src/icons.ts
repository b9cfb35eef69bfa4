/** Icons of our own. */

import { LabIcon } from '@jupyterlab/ui-components';

export const flowIcon = new LabIcon({
  name: 'nbflow:flow',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 16 16">
<g class="jp-icon3" fill="none" stroke="#616161" stroke-width="1.4" stroke-linecap="round">
<path d="M5.2 8h1.6c1.6 0 1.4-3.8 3.4-3.8M6.8 8c1.6 0 1.4 3.8 3.4 3.8"/></g>
<g class="jp-icon3" fill="#616161"><circle cx="3.4" cy="8" r="2.1"/><circle cx="12.4" cy="4.2" r="2.1"/><circle cx="12.4" cy="11.8" r="2.1"/></g></svg>`
});

export const compareIcon = new LabIcon({
  name: 'nbflow:compare',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 16 16">
<g class="jp-icon3" fill="#616161"><rect x="2" y="7" width="3" height="7" rx="1"/><rect x="6.5" y="2" width="3" height="12" rx="1"/><rect x="11" y="5" width="3" height="9" rx="1"/></g></svg>`
});
