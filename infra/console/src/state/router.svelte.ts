// Where we are, kept in the address's hash, so that it survives a reload and needs nothing of the server.

export type Route =
  | { page: 'desk'; list: string; conversation: string | undefined }
  | { page: 'reports' }
  | { page: 'settings'; section: 'inboxes' | 'agents' };

export function parse(hash: string): Route {
  const [page, first, second] = hash.replace(/^#\/?/, '').split('/').map(decode);
  if (page === 'reports') return { page };
  if (page === 'settings') return { page, section: first === 'agents' ? 'agents' : 'inboxes' };
  return { page: 'desk', list: first || 'mine', conversation: second || undefined };
}

export function deskLink(list: string, conversation?: string): string {
  return `#/desk/${encodeURIComponent(list)}${conversation ? `/${encodeURIComponent(conversation)}` : ''}`;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

class Router {
  route = $state<Route>(parse(typeof location === 'undefined' ? '' : location.hash));

  start(): () => void {
    const follow = () => (this.route = parse(location.hash));
    window.addEventListener('hashchange', follow);
    return () => window.removeEventListener('hashchange', follow);
  }

  go(link: string): void {
    location.hash = link;
  }
}

export const router = new Router();
