/** العربية. */

import type { Strings } from "./en.ts";
import { plurals } from "./plurals.ts";

const plural = plurals("ar");

/** A name as it is, from left to right: else the `~` of a guest would stand at its other end. */
const isolated = (name: string): string => `\u2068${name}\u2069`;

export const strings: Strings = {
  language: "ar",
  direction: "rtl",

  log: (room) => `الرسائل في ${room}`,
  status: {
    connecting: "جارٍ الاتصال…",
    open: "مباشر",
    offline: "غير متصل",
    closed: "مغلق",
  },
  offline: "لا يوجد اتصال. ما ترسله سيصل فور عودة الاتصال.",
  offlineReading: "لا يوجد اتصال. تجري المحاولة من جديد…",
  reconnect: "حاول مجددًا",
  closed: {
    unauthorized: "هذا المفتاح غير صالح، لذلك أُغلق الاتصال.",
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
  unread: "جديد",
  newMessages: (count) =>
    plural(count, { one: "رسالة جديدة", two: "رسالتان جديدتان", few: "# رسائل جديدة", other: "# رسالة جديدة" }),
  toLatest: "إلى أحدث رسالة",

  you: "أنت",
  agent: "وكيل",
  guest: "ضيف",
  agentOf: (person) => `وكيل ${isolated(person)}`,
  people: (count) => `${count} هنا`,
  peopleTitle: "من هنا",

  deleted: "حُذفت هذه الرسالة.",
  writing: "يكتب…",
  areWriting: (names) => {
    const [first, second] = names.map(isolated);
    if (names.length > 2) return `${names.length} يكتبون…`;
    return second ? `${first} و${second} يكتبان…` : `${first} يكتب…`;
  },
  queued: "بانتظار الاتصال",
  sending: "جارٍ الإرسال…",
  held: (seconds) => `ستُرسل بعد ${seconds} ث`,
  failed: "لم تُرسل",
  retry: "أرسل مجددًا",
  discard: "تجاهل",
  tools: "إجراءات هذه الرسالة",
  jumpTo: (sender) => `اذهب إلى رسالة ${isolated(sender)}`,
  earlier: "رسالة سابقة",

  readOnlyGuests: "لا يكتب في هذه الغرفة إلا من لديه مفتاح.",
  loopGuard: "تحدّث الوكلاء فيما بينهم طويلًا. على شخص أن يقول شيئًا أولًا.",

  said: (sender, text) => `${sender}: ${text}`,
  copy: "نسخ",
  copied: "نُسخ",
  showMore: "أظهر المزيد",
  showLess: "أظهر أقل",

  persons: "أشخاص",
  agents: "وكلاء",
  guests: "ضيوف",
  spectators: (count) => plural(count, { one: "مشاهد واحد", two: "مشاهدان", few: "# مشاهدين", other: "# مشاهدًا" }),
  nobody: "لم يعرّف أحد بنفسه.",
  mention: (sender) => `اذكر ${isolated(sender)}`,
  close: "إغلاق",
  reply: "ردّ",
  copyLink: "انسخ الرابط",
  linkCopied: "نُسخ الرابط",
  linkRefused: "لم يسمح المتصفح بالنسخ.",
  delete: "حذف",
  deleteSure: "أتحذفها للجميع؟",
  cancel: "إلغاء",
  replyingTo: (sender) => `ردّ على ${isolated(sender)}`,
  cancelReply: "ألغِ الردّ",
  compose: "اكتب رسالة",
  composeAs: (sender) => `اكتب باسم ${isolated(sender)}`,
  composeHint: "‏Enter للإرسال، وShift+Enter لسطر جديد",
  composeTouchHint: "‏Enter لسطر جديد، والزر للإرسال",
  send: "أرسل",
  bytesLeft: (bytes) => (bytes >= 0 ? `بقي ${bytes} بايت` : `أطول بـ ${-bytes} بايت`),
  overQuota: (seconds) => `لا مزيد من الرسائل الآن. يمكنك الإرسال بعد ${seconds} ث.`,
  notTaken: "لم تقبل الغرفة الرسالة.",
  refusals: {
    too_large: "الرسالة طويلة جدًا.",
    forbidden: "لا يُسمح في هذه الغرفة برسائل من هذه الصفحة.",
    unauthorized: "لم يعد مفتاحك صالحًا.",
    not_found: "لم تعد الغرفة موجودة.",
    conflict: "أرسلت رسالة أخرى بالمعرّف نفسه.",
    held: "رسالتك بانتظار أحد المشرفين، وستظهر بعد الموافقة عليها.",
    loop_guard: "على الوكلاء الانتظار حتى يقول شخص شيئًا.",
  },
  unavailable: (seconds) => `الغرفة غير متاحة الآن. يمكنك الإرسال بعد ${seconds} ث.`,
  muted: "أنت مكتوم هنا.",
  shortcuts: "اختصارات لوحة المفاتيح",
  useKey: "استخدم مفتاحًا",
  mute: (sender) => `اكتم ${isolated(sender)}`,
  forAnHour: "لساعة واحدة",
  forever: "للأبد",
  isMuted: (sender) => `كُتم ${isolated(sender)}.`,
  undo: "تراجع",
  unmute: "إلغاء الكتم",
  notDone: "لم ينفّذ الخادم الطلب. حاول مرة أخرى.",
  control: "Ctrl",
  keys: [
    ["Enter", "إرسال"],
    ["Shift Enter", "سطر جديد"],
    ["@", "إكمال اسم"],
    ["↑ في الحقل الفارغ", "إلى الرسائل"],
    ["↑ ↓ Home End", "من رسالة إلى رسالة"],
    ["← →", "إلى أزرار رسالة"],
    ["R", "ردّ"],
    ["Enter على ردّ", "إلى ما يردّ عليه"],
    ["C", "نسخ الرابط"],
    ["Delete", "حذف رسالتك"],
    ["Esc", "العودة إلى الحقل"],
  ],
};
