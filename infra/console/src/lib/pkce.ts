// The OIDC code flow with PKCE (RFC 7636), for deployed desks. It keeps the verifier in this tab's storage between the
// redirect and the return; tokens are handed to the session and not stored here.

const KEPT = 'colloquy.oidc';

interface Provider {
  authorization_endpoint: string;
  token_endpoint: string;
}

interface Kept {
  verifier: string;
  state: string;
}

/** Leaves for the issuer's sign-in page. */
export async function leave(issuer: string, client: string): Promise<void> {
  const provider = await discover(issuer);
  const kept: Kept = { verifier: random(48), state: random(16) };
  sessionStorage.setItem(KEPT, JSON.stringify(kept));
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: client,
    redirect_uri: home(),
    scope: 'openid email profile',
    state: kept.state,
    code_challenge: await challenge(kept.verifier),
    code_challenge_method: 'S256',
  });
  location.assign(`${provider.authorization_endpoint}?${query}`);
}

/** The token, when this page load is a return from the issuer; nothing when it is not. */
export async function arrive(issuer: string, client: string): Promise<string | undefined> {
  const query = new URLSearchParams(location.search);
  const code = query.get('code');
  const raw = sessionStorage.getItem(KEPT);
  if (!code || !raw) return undefined;
  sessionStorage.removeItem(KEPT);
  history.replaceState(null, '', location.pathname + location.hash);
  const kept = JSON.parse(raw) as Kept;
  if (query.get('state') !== kept.state) throw new Error('the sign-in was begun elsewhere');
  const provider = await discover(issuer);
  const body = new URLSearchParams({
    grant_type: 'authorization_code',
    client_id: client,
    code,
    redirect_uri: home(),
    code_verifier: kept.verifier,
  });
  const response = await fetch(provider.token_endpoint, { method: 'POST', body });
  if (!response.ok) throw new Error(`the issuer answered ${response.status}`);
  // The identity token carries our client as its audience and the agent's e-mail address; an access token may not.
  const tokens = (await response.json()) as { id_token?: string; access_token?: string };
  return tokens.id_token ?? tokens.access_token;
}

async function discover(issuer: string): Promise<Provider> {
  const response = await fetch(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
  if (!response.ok) throw new Error(`the issuer answered ${response.status}`);
  return (await response.json()) as Provider;
}

/** The challenge of a verifier: base64url(SHA-256(verifier)). */
export async function challenge(verifier: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier));
  return base64url(new Uint8Array(digest));
}

function home(): string {
  return `${location.origin}/`;
}

function random(bytes: number): string {
  return base64url(crypto.getRandomValues(new Uint8Array(bytes)));
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
