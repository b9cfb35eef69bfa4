/** Python to read, with numbers of lines. */

import React from 'react';

import { pythonLines } from '../models/python';

export const Highlighted = React.memo(function Highlighted(props: {
  text: string;
  near?: number | null;
  onHover?: (line: number) => void;
}): JSX.Element {
  const lines = React.useMemo(() => pythonLines(props.text), [props.text]);
  return (
    <pre className="jp-nbflow-Python">
      {lines.map((line, index) => (
        <div
          key={index}
          data-near={props.near === index + 1}
          onMouseEnter={props.onHover && (() => props.onHover!(index + 1))}
        >
          <i aria-hidden="true">{index + 1}</i>
          <code>
            {line.map((token, at) =>
              token.kind ? (
                <span key={at} data-kind={token.kind}>
                  {token.text}
                </span>
              ) : (
                token.text
              )
            )}
          </code>
        </div>
      ))}
    </pre>
  );
});
