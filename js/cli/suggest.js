// "Did you mean": the one word that was probably meant.

/** The nearest of the known words, where one is near. @param {string} typed @param {readonly string[]} known */
export function nearest(typed, known) {
	const most = Math.min(3, Math.max(1, Math.floor(typed.length / 3)));
	let best;
	let least = most + 1;
	for (const word of known) {
		const found = distance(typed, word);
		if (found < least) {
			least = found;
			best = word;
		}
	}
	return best;
}

/** Letters to add, remove, replace or swap with their neighbour. @param {string} from @param {string} to */
function distance(from, to) {
	/** @type {number[][]} */
	const rows = [Array.from({ length: to.length + 1 }, (_, index) => index)];
	for (let row = 1; row <= from.length; row += 1) {
		const above = rows[row - 1] ?? [];
		const line = [row];
		for (let column = 1; column <= to.length; column += 1) {
			const cost = from[row - 1] === to[column - 1] ? 0 : 1;
			let least = Math.min(
				(above[column] ?? 0) + 1,
				(line[column - 1] ?? 0) + 1,
				(above[column - 1] ?? 0) + cost,
			);
			const swapped =
				from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
			if (swapped)
				least = Math.min(least, (rows[row - 2]?.[column - 2] ?? 0) + 1);
			line.push(least);
		}
		rows.push(line);
	}
	return rows[from.length]?.[to.length] ?? Number.POSITIVE_INFINITY;
}
