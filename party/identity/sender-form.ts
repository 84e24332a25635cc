/** The form of a sender: a person, a guest, an agent of either's form, or a name with its site, as in `anna@before`. */

export const SENDER =
  /^(?:~?[a-z0-9]+(?:-[a-z0-9]+)*(?:\/[a-z0-9][a-z0-9-]{0,31})?|[a-z0-9][a-z0-9._-]{0,63}@[a-z0-9]+(?:-[a-z0-9]+)*)$/;

/** No sender is longer. */
const LONGEST = 100;

/** Whether `value` has the form of a sender. Says nothing about whether there is somebody of that name. */
export const isSender = (value: unknown): value is string =>
  typeof value === "string" && value.length <= LONGEST && SENDER.test(value);
