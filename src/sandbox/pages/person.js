// The customer's card: who it is, what is known, and what the bot gave along.

import { bytes, clock, el } from "./dom.js";

const FIELDS = { name: "Name", userId: "User id", customerId: "Customer id", email: "E-mail", phone: "Phone", company: "Company",
  caseId: "Case", language: "Language", ipaddress: "IP address", timezoneOffset: "Time zone" };

const pairs = (all) => el("dl", {}, all.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", { dir: "auto" }, value))));

/** The parts of the card. */
export function person(conversation, setup, name) {
  const { user, customer, context, transactions, members, attachments } = conversation;
  const given = Object.entries(FIELDS).filter(([field]) => user[field]).map(([field, title]) => [title, user[field]]);
  return [
    el("h3", {}, "From the customer file"),
    customer ? known(customer, user) : el("p", { class: "soft" }, "Not a known customer: neither the user id nor the e-mail is in the file."),
    el("h3", {}, "As the bot says"),
    given.length ? pairs(given) : el("p", { class: "soft" }, "Nothing."),
    el("h3", {}, "Context"),
    context.length ? pairs(context.map((it) => [it.key, it.value])) : el("p", { class: "soft" }, "No context was given."),
    attachments.length ? el("h3", {}, "Files") : null,
    attachments.length ? el("ul", { class: "plain" }, attachments.map((it) => el("li", {}, it.filename, " ", el("span", { class: "soft" }, bytes(it.sizeInBytes))))) : null,
    transactions.length ? el("h3", {}, "Written up") : null,
    transactions.length ? el("ul", { class: "plain" }, transactions.map((it) => written(it, setup, name))) : null,
    el("h3", {}, "Who takes part"),
    el("ul", { class: "plain" }, members.map((it) => el("li", {}, name({ authorType: it.type, authorId: it.id }), it.present ? "" : el("span", { class: "soft" }, " has left")))),
  ];
}

/** What the card depends on. The addresses of files change with time. */
person.key = ({ user, customer, context, transactions, members, attachments }) =>
  [user, customer, context, transactions, members, attachments.map((it) => it.id)];

function known(customer, user) {
  const by = customer.userId && customer.userId === user.userId ? "user id" : "e-mail";
  const all = ["name", "userId", "email", "phone", "company"].filter((it) => customer[it]).map((it) => [FIELDS[it], customer[it]]);
  return el("div", { class: "known" }, el("p", { class: "soft" }, `Found by ${by}`), pairs([...all, ...customer.fields.map((it) => [it.name, it.value])]));
}

function written(it, setup, name) {
  const code = setup.transactionCodes.find((one) => one.id === it.code)?.name ?? it.code ?? "No code";
  return el("li", {}, el("b", {}, code), " ", el("span", { class: "soft" }, `${name({ authorType: "agent", authorId: it.agentId })}, ${clock(it.at)}`),
    it.note ? el("p", { class: "text", dir: "auto" }, it.note) : null);
}
