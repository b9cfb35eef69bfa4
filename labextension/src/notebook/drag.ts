/** A kept value on its way into a notebook: dropped, it is a cell that loads it. */

import { MimeData } from '@lumino/coreutils';
import { Drag } from '@lumino/dragdrop';

import { artifactSource } from '../models/snippets';
import { IArtifactInfo } from '../wire';

const CELLS = 'application/vnd.jupyter.cells';
/** Pixels that the pointer moves before it is a drag. */
const THRESHOLD = 5;

/** Begin with a press on a value's header: it becomes a drag once the pointer moves. */
export function drag(down: MouseEvent, artifact: IArtifactInfo): void {
  const stop = () => {
    document.removeEventListener('mousemove', move, true);
    document.removeEventListener('mouseup', stop, true);
  };
  const move = (event: MouseEvent) => {
    const far = Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY);
    if (far < THRESHOLD) {
      return;
    }
    stop();
    const source = artifactSource(artifact.path, artifact.name);
    const mimeData = new MimeData();
    mimeData.setData(CELLS, [
      { cell_type: 'code', source, metadata: {}, outputs: [], execution_count: null }
    ]);
    mimeData.setData('text/plain', source);
    const dragImage = document.createElement('div');
    dragImage.className = 'jp-nbflow-DragImage';
    dragImage.textContent = artifact.name;
    const going = new Drag({
      mimeData,
      dragImage,
      proposedAction: 'copy',
      supportedActions: 'copy-move'
    });
    void going.start(event.clientX, event.clientY).then(() => going.dispose());
  };
  document.addEventListener('mousemove', move, true);
  document.addEventListener('mouseup', stop, true);
}
