// Every word the widget shows, in each language. Customers' and agents' own words never pass through here.

const en = {
  launcher: "Chat with us",
  launcherUnread: "Chat with us, unread messages: {count}",
  title: "Chat with us",
  subtitle: "We usually answer within a few minutes",
  close: "Close chat",
  empty: "Hello! Ask us anything about products, orders or delivery.",
  placeholder: "Write a message…",
  send: "Send",
  thread: "Conversation",
  you: "You",
  bot: "Assistant",
  agent: "Support",
  typing: "{who} is typing…",
  sending: "Sending…",
  sent: "Sent",
  failed: "Not sent",
  retry: "Try again",
  joined: "A colleague has joined the chat",
  resolved: "This chat was closed. Write again at any time.",
  connecting: "Connecting…",
  offline: "No connection. We keep trying.",
  refused: "The chat is not available right now.",
  today: "Today",
  yesterday: "Yesterday",
  tooLong: "{count} characters too many",
  part_image: "Picture",
  part_audio: "Voice message",
  part_video: "Video",
  part_file: "File",
  part_location: "Location",
  part_sticker: "Sticker",
  part_contact: "Contact card",
  part_link: "Link",
  part_reaction: "Reaction",
  part_unsupported: "Attachment",
};

export type Word = keyof typeof en;

const zh: Record<Word, string> = {
  launcher: "联系客服",
  launcherUnread: "联系客服，{count} 条未读消息",
  title: "在线客服",
  subtitle: "通常几分钟内回复",
  close: "关闭聊天",
  empty: "您好！商品、订单、配送，有问题尽管问。",
  placeholder: "输入消息…",
  send: "发送",
  thread: "对话",
  you: "我",
  bot: "智能助手",
  agent: "客服",
  typing: "{who}正在输入…",
  sending: "发送中…",
  sent: "已发送",
  failed: "未发送",
  retry: "重试",
  joined: "客服人员已加入对话",
  resolved: "对话已结束，随时可以再次留言。",
  connecting: "连接中…",
  offline: "网络已断开，正在重试。",
  refused: "在线客服暂时不可用。",
  today: "今天",
  yesterday: "昨天",
  tooLong: "超出 {count} 个字符",
  part_image: "图片",
  part_audio: "语音消息",
  part_video: "视频",
  part_file: "文件",
  part_location: "位置",
  part_sticker: "表情贴图",
  part_contact: "名片",
  part_link: "链接",
  part_reaction: "表情回应",
  part_unsupported: "附件",
};

export type Language = "en" | "zh-CN";

export const catalogues: Record<Language, Record<Word, string>> = { en, "zh-CN": zh };

/** The catalogue nearest to what the page or the browser prefers; English when neither is known. */
export function choose(...preferred: (string | null | undefined)[]): Language {
  for (const tag of preferred) {
    const primary = tag?.toLowerCase().split(/[-_]/)[0];
    if (primary === "zh") return "zh-CN";
    if (primary === "en") return "en";
  }
  return "en";
}

/** A word with its `{gaps}` filled. */
export function say(language: Language, word: Word, gaps: Record<string, string | number> = {}): string {
  return catalogues[language][word].replace(/\{(\w+)\}/g, (whole, name: string) => String(gaps[name] ?? whole));
}
