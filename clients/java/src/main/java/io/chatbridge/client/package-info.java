/**
 * Client library of Chatbridge. {@link io.chatbridge.client.Chatbridge} is where to begin; the
 * messages of the contract are in {@code io.chatbridge.v1}.
 */
package io.chatbridge.client;
