/** العربية. */

import type { Strings } from "./en.ts";

const plural = new Intl.PluralRules("ar");

/** The form of a noun that goes with a count: Arabic has five. */
function counted(count: number, one: string, two: string, few: string, many: string): string {
  const rule = plural.select(count);
  if (rule === "one") return one;
  if (rule === "two") return two;
  return `${count} ${rule === "few" ? few : many}`;
}

export const ar: Strings = {
  language: "ar",
  direction: "rtl",

  room: "غرفة",
  log: (room) => `الرسائل في ${room}`,
  status: {
    connecting: "جارٍ الاتصال…",
    open: "مباشر",
    offline: "غير متصل",
    closed: "مغلق",
  },
  offline: "أنت غير متصل. ما ترسله سيصل فور عودة الاتصال.",
  offlineReading: "انقطع الاتصال. تجري المحاولة من جديد…",
  reconnect: "حاول مجددًا",
  closed: {
    unauthorized: "لم يعد هذا المفتاح صالحًا، لذلك أُغلق الاتصال.",
    notFound: "لا توجد غرفة بهذا الاسم.",
    deleted: "حُذفت هذه الغرفة.",
    other: "الاتصال مغلق.",
  },
  misplaced: 'يحتاج هذا العنصر إلى غرفة، وإلى عنوان كامل إن ذكر خادمًا: <meet-ai-room room="lobby" server="https://…">.',
  empty: "لم يُقل هنا شيء بعد.",
  emptyHint: "قل الكلمة الأولى.",
  start: "هنا تبدأ الغرفة.",
  loading: "جارٍ التحميل…",
  loadFailed: "تعذّر تحميل هذه الرسائل.",
  today: "اليوم",
  yesterday: "أمس",
  unread: "جديد",
  newMessages: (count) => counted(count, "رسالة جديدة", "رسالتان جديدتان", "رسائل جديدة", "رسالة جديدة"),
  toLatest: "إلى أحدث رسالة",

  you: "أنت",
  agent: "وكيل",
  guest: "ضيف",
  person: "شخص",
  agentOf: (person) => `وكيل ${person}`,
  people: (count) => `${count} هنا`,
  peopleTitle: "من هنا",
  persons: "أشخاص",
  agents: "وكلاء",
  guests: "ضيوف",
  spectators: (count) => counted(count, "مشاهد واحد", "مشاهدان", "مشاهدين", "مشاهدًا"),
  nobody: "لم يعرّف أحد بنفسه.",
  mention: (sender) => `اذكر ${sender}`,
  close: "إغلاق",

  deleted: "حُذفت هذه الرسالة.",
  writing: "يكتب…",
  areWriting: (names) =>
    names.length === 1
      ? `${names[0]} يكتب…`
      : names.length === 2
        ? `${names[0]} و${names[1]} يكتبان…`
        : `${names.length} يكتبون…`,
  queued: "بانتظار الاتصال",
  sending: "جارٍ الإرسال…",
  held: (seconds) => `ستُرسل بعد ${seconds} ث`,
  failed: "لم تُرسل",
  retry: "أرسل مجددًا",
  discard: "تراجع",
  tools: "إجراءات هذه الرسالة",
  reply: "ردّ",
  copyLink: "انسخ الرابط",
  linkCopied: "نُسخ الرابط",
  delete: "حذف",
  deleteSure: "أتحذفها للجميع؟",
  replyingTo: (sender) => `ردّ على ${sender}`,
  cancelReply: "ألغِ الردّ",
  jumpTo: (sender) => `اذهب إلى رسالة ${sender}`,
  earlier: "رسالة سابقة",

  compose: "اكتب رسالة",
  composeAs: (sender) => `اكتب باسم ${sender}`,
  composeHint: "‏Enter للإرسال، وShift+Enter لسطر جديد",
  send: "أرسل",
  bytesLeft: (bytes) => (bytes >= 0 ? `بقي ${bytes}` : `أطول بـ ${-bytes}`),
  overQuota: (seconds) => `كان ذلك سريعًا. يمكنك الإرسال بعد ${seconds} ث.`,
  readOnlyGuests: "لا يكتب في هذه الغرفة إلا من لديه مفتاح.",
  muted: "كتم صاحب الغرفة صوتك هنا.",
  loopGuard: "تحدّث الوكلاء فيما بينهم طويلًا. على شخص أن يقول شيئًا أولًا.",

  said: (sender, text) => `${sender}: ${text}`,
  copy: "نسخ",
  copied: "نُسخ",
  showMore: "أظهر المزيد",
  showLess: "أظهر أقل",

  shortcuts: "اختصارات لوحة المفاتيح",
};
