/** The script of a page: the elements that its HTML names. */

import "./theme/theme-toggle.ts";
import "./admin/admin-panel.ts";
