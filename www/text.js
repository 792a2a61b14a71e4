// @ts-check
// From what somebody typed, pasted, dropped or linked to, to the reference that it means; and from a reference to a link.

/** A link to a page of this kind. */
const LINK = /^https?:\/\/[^/\s]+\/#(.+)$/u;
/** How a gateway's refusal ends; other names that it tells are part of the explanation. */
const REFUSAL = /sealgate:.*details:\s*https?:\/\/[^/\s]+\/#/iu;
/** Between words; none of these is part of a reference. */
const BETWEEN = /[\s"',;=|&`(){}]+/u;

/**
 * People paste a reference, several, a whole command, a link to this page, or the refusal that podman printed. Whatever may be
 * meant as an image is taken out, each once: one that were passed over would look as if it had been judged with the others.
 * These are only proposals: the package's parseReference alone decides whether they are references.
 * @param {string} text
 * @param {Location | URL} page
 * @returns {string[]}
 */
export function findReferences(text, page) {
	const found = text.split(/[\r\n]+/u).flatMap((line) => inLine(line, page));
	return found.length ? [...new Set(found)] : [text.trim()].filter(Boolean);
}

/** @param {string} line @param {Location | URL} page */
function inLine(line, page) {
	const words = line
		.split(BETWEEN)
		.flatMap(asReferences)
		.filter((word) => word !== "" && !/^[-./]/u.test(word));
	if (REFUSAL.test(line))
		return words.filter(
			(word) =>
				word.startsWith(`${page.host}/`) &&
				/[:@]/u.test(word.slice(page.host.length)),
		);
	// A word alone is a name, unless something is to follow, and so is one behind a name; elsewhere it may be a command.
	if (
		(words.length === 1 && !/:\s*$/u.test(line)) ||
		namesImage(words[0] ?? "")
	)
		return words;
	return words.filter(namesImage);
}

/** Without transport and the marks of a sentence; of a link, what it names. @param {string} word @returns {string[]} */
function asReferences(word) {
	const bare = word.replace(/^[<[]+|[>\]:.!?]+$/gu, "");
	const linked = LINK.exec(bare)?.[1];
	return linked === undefined
		? [bare.replace(/^[a-z][a-z0-9+.-]*:\/\//iu, "")]
		: readFragment(linked);
}

/** @param {string} word */
const namesImage = (word) => /[/:@]/u.test(word);

/**
 * @param {string} fragment without its #
 * @returns {string[]} what it names; what is no list of names is one text, which the parser refuses
 */
export function readFragment(fragment) {
	const text = decoded(fragment).trim();
	const words = text.split(/\s+/u);
	const names = words.every(namesImage) ? words : text.split(/\s*\n\s*/u);
	return [...new Set(names.filter(Boolean))];
}

/** @param {string} fragment */
function decoded(fragment) {
	try {
		return decodeURIComponent(fragment);
	} catch {
		return fragment; // a stray % is no reason to show nothing: the text is then judged as it stands
	}
}

/**
 * @param {...string} references
 * @returns {string} with its #: names of images and nothing else, neither a policy nor a name to judge by
 */
export function writeFragment(...references) {
	return `#${encodeURIComponent(references.join("\n")).replace(/%(2F|3A|40)/gu, (code) => decodeURIComponent(code))}`;
}
