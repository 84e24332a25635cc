/** العربية. */

import { counted, isolated } from "./arabic.ts";
import type { Strings } from "./en.ts";

export const ar: Strings = {
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
  today: "اليوم",
  yesterday: "أمس",
  unread: "جديد",
  newMessages: (count) => counted(count, "رسالة جديدة", "رسالتان جديدتان", "رسائل جديدة", "رسالة جديدة"),
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
};
