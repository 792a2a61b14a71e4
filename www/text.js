// @ts-check
// From what somebody typed, pasted, dropped or linked to, to the reference that it means; and from a reference to a link.

/**
 * People paste a reference, a whole command, a link to this page, or the refusal that podman printed.
 * What this takes out is only a proposal: the package's parseReference alone decides whether it is a reference.
 * @param {string} text
 * @param {Location | URL} page
 * @returns {string}
 */
export function findReference(text, page) {
  const trimmed = text.trim();
  const link = trimmed.indexOf(`${page.origin}/#`);
  if (link >= 0) {
    const fragment = trimmed.slice(link + page.origin.length + 2).split(/[\s"'<>]/u)[0] ?? "";
    return readFragment(fragment);
  }
  const words = trimmed.split(/\s+/u).map((word) => word.replace(/^(docker|oci):\/\//u, ""));
  return (words.length > 1 && words.find((word) => word.startsWith(`${page.host}/`))) || (words.length > 1 ? trimmed : words[0] ?? "");
}

/**
 * @param {string} fragment without its #
 * @returns {string}
 */
export function readFragment(fragment) {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return fragment; // a stray % is no reason to show nothing: the text is then judged as it stands
  }
}

/**
 * @param {string} reference
 * @returns {string} with its #
 */
export function writeFragment(reference) {
  return `#${encodeURIComponent(reference).replace(/%(2F|3A|40)/gu, (code) => decodeURIComponent(code))}`;
}
