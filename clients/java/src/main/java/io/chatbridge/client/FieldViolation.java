package io.chatbridge.client;

import java.io.Serializable;

/**
 * What is wrong with one field of a request.
 *
 * @param field path of the field, such as {@code user.additional_properties[3].key}
 * @param description what is wrong and what is expected
 */
public record FieldViolation(String field, String description) implements Serializable {}
