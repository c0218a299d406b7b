// The settings each channel is configured with, in the order they are asked for.

export interface Setting {
  name: string;
  optional?: boolean;
  list?: boolean;
  secret?: boolean;
}

const api: Setting = { name: 'api_base', optional: true };

export const channelSettings = {
  web: [
    { name: 'allowed_origins', list: true, optional: true },
    { name: 'identity_secret', secret: true, optional: true },
  ],
  whatsapp: [
    { name: 'phone_number_id' },
    { name: 'app_secret', secret: true },
    { name: 'verify_token', secret: true },
    { name: 'access_token', secret: true },
    api,
  ],
  wechat: [
    { name: 'app_id' },
    { name: 'app_secret', secret: true },
    { name: 'token', secret: true },
    { name: 'encoding_aes_key', secret: true, optional: true },
    api,
  ],
} as const satisfies Record<string, readonly Setting[]>;

export type ChannelName = keyof typeof channelSettings;
export const channelNames = Object.keys(channelSettings) as ChannelName[];

/** What was filled in, as the API takes it: empty fields left out, lists as lists. */
export function settingsOf(channel: ChannelName, filled: Record<string, string>): Record<string, string | string[]> {
  const settings: readonly Setting[] = channelSettings[channel];
  return Object.fromEntries(
    settings
      .filter((setting) => filled[setting.name]?.trim())
      .map((setting) => {
        const text = (filled[setting.name] ?? '').trim();
        return [setting.name, setting.list ? text.split(/[\s,]+/).filter(Boolean) : text];
      }),
  );
}
