// What a test plays on: a service with its sandbox, a bot, a browser.
import { test } from "node:test";
import { Bot } from "./bot.js";
import { Browser } from "./browser.js";
import { Service } from "./service.js";

/** @typedef {{ service: Service, bot: Bot, browser: Browser }} Stage */

/**
 * Declares a test with a stage of its own. Whatever happens in it, nothing may go wrong on the pages.
 *
 * @param {string} name
 * @param {(stage: Stage) => Promise<void>} scene
 */
export function play(name, scene) {
  test(name, async () => {
    const service = await Service.start();
    try {
      await service.giveTime();
      const bot = await Bot.start(service);
      const browser = await Browser.start(service.origin);
      try {
        await scene({ service, bot, browser });
        browser.check();
      } catch (error) {
        await browser.draw();
        throw error;
      } finally {
        await browser.stop();
        await bot.stop();
      }
    } finally {
      await service.stop();
    }
  });
}
