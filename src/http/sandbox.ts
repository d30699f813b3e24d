import { createHash } from 'node:crypto';
import type { DocumentPolicy } from './securityHeaders.ts';

const scriptHost = 'https://embeddable-sandbox.cdn.apollographql.com';
const frameHost = 'https://sandbox.embed.apollographql.com';
const iconHost = 'https://embeddable-explorer.cdn.apollographql.com';

const style = 'html, body, #sandbox { height: 100%; margin: 0 } iframe { width: 100%; height: 100%; border: 0 }';
const script = `new window.EmbeddedSandbox({
  target: '#sandbox',
  initialEndpoint: window.location.origin + window.location.pathname,
  initialState: { includeCookies: true },
  hideCookieToggle: false,
  endpointIsEditable: false,
  runTelemetry: false,
  allowDynamicStyles: false,
});`;

/** A page with Apollo Sandbox (version 2 of its script) for the endpoint that serves it. */
export const sandboxPage = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>Nexus in Apollo Sandbox</title>
    <style>${style}</style>
  </head>
  <body>
    <div id="sandbox"></div>
    <script src="${scriptHost}/v2/embeddable-sandbox.umd.production.min.js"></script>
    <script>${script}</script>
  </body>
</html>
`;

/** What the page may do, and no more: its own two pieces, Apollo's script and frame, and requests to us. */
export const sandboxPolicy: DocumentPolicy = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: [hashOf(script), scriptHost],
      styleSrc: [hashOf(style)],
      frameSrc: [frameHost],
      imgSrc: [iconHost],
      connectSrc: ["'self'"],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
    },
  },
  // The frame opens Apollo's log-in in a window, and hears from it.
  crossOriginOpenerPolicy: { policy: 'same-origin-allow-popups' },
};

function hashOf(source: string): string {
  return `'sha256-${createHash('sha256').update(source).digest('base64')}'`;
}
