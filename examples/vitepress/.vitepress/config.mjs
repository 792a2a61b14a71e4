export default {
	title: "Our images",
	head: [
		[
			"link",
			{
				rel: "stylesheet",
				href: "http://localhost:8787/sealgate/element.css",
			},
		],
		["script", { src: "http://localhost:8787/sealgate/element.js", defer: "" }],
	],
	// Vue then leaves the element to the browser.
	vue: {
		template: {
			compilerOptions: {
				isCustomElement: (tag) => tag === "sealgate-image",
			},
		},
	},
	// Of a gateway on this machine there are links in the example.
	ignoreDeadLinks: "localhostLinks",
};
