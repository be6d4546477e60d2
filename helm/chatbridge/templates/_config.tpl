{{/* The service's configuration, as TOML. Texts, numbers and lists of texts are written alike in JSON and TOML. */}}

{{/* Settings at the top that hold from the next start on. A change of these, and of nothing else, needs new pods. */}}
{{- define "chatbridge.fixedSettings" -}}
{{- $directory := include "chatbridge.directory" . -}}
{{- $made := dict
    "admin_listen" (printf "%s:9090" .Values.listenAddress)
    "drain_spread_ms" (int64 .Values.shutdown.drainSpreadMs)
    "drain_deadline_ms" (int64 .Values.shutdown.drainDeadlineMs) -}}
{{- range $name, $value := .Values.settings -}}
{{- if not (has $name (include "chatbridge.reloadedNames" $ | fromJsonArray)) -}}
{{- $_ := set $made $name $value -}}
{{- end -}}
{{- end -}}
{{- with .Values.redis -}}
{{- if .url -}}
{{- $_ := set $made "redis_url" .url -}}
{{- else -}}
{{- $_ := set $made "redis_url_file" (include "chatbridge.secretPath" (dict "root" $ "of" .urlSecret)) -}}
{{- end -}}
{{- if or .tls.ca.secretName .tls.ca.configMapName -}}
{{- $_ := set $made "redis_tls_ca_file" (printf "%s/tls/redis-ca/%s" $directory .tls.ca.key) -}}
{{- end -}}
{{- if .tls.clientCertSecret -}}
{{- $_ := set $made "redis_tls_cert_file" (printf "%s/tls/redis/tls.crt" $directory) -}}
{{- $_ := set $made "redis_tls_key_file" (printf "%s/tls/redis/tls.key" $directory) -}}
{{- end -}}
{{- end -}}
{{- range (include "chatbridge.ports" . | fromYaml).all -}}
{{- $_ := set $made (printf "%s_listen" .setting) (printf "%s:%d" $.Values.listenAddress (int .number)) -}}
{{- $tls := index $.Values.tls .key -}}
{{- if $tls.enabled -}}
{{- $_ := set $made (printf "%s_tls_cert_file" .setting) (printf "%s/tls/%s/tls.crt" $directory .name) -}}
{{- $_ := set $made (printf "%s_tls_key_file" .setting) (printf "%s/tls/%s/tls.key" $directory .name) -}}
{{- if or $tls.clientCa.secretName $tls.clientCa.configMapName -}}
{{- $_ := set $made (printf "%s_tls_client_ca_file" .setting) (printf "%s/tls/%s-client-ca/%s" $directory .name $tls.clientCa.key) -}}
{{- $_ := set $made (printf "%s_tls_client_auth" .setting) $tls.clientAuth -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and .Values.chatV2.enabled .Values.chatV2.signingKey.enabled -}}
{{- $_ := set $made "chat_v2_signing_key_file" (include "chatbridge.secretPath" (dict "root" $ "of" .Values.chatV2.signingKey.secret)) -}}
{{- end -}}
{{- if .Values.webhook.pathSecret.enabled -}}
{{- $_ := set $made "webhook_path_secret_file" (include "chatbridge.secretPath" (dict "root" $ "of" .Values.webhook.pathSecret.secret)) -}}
{{- end -}}
{{- if .Values.masterKeys.enabled -}}
{{- $_ := set $made "master_keys_file" (include "chatbridge.secretPath" (dict "root" $ "of" .Values.masterKeys.secret)) -}}
{{- end -}}
{{- with .Values.agentNames -}}
{{- if .values -}}
{{- $_ := set $made "agent_names_file" (printf "%s/agents/agents.json" $directory) -}}
{{- else if .configMap.name -}}
{{- $_ := set $made "agent_names_file" (printf "%s/agents/%s" $directory .configMap.key) -}}
{{- else if .urlSecret.key -}}
{{- $_ := set $made "agent_names_url_file" (include "chatbridge.secretPath" (dict "root" $ "of" .urlSecret)) -}}
{{- end -}}
{{- end -}}
{{- range $name, $value := $made }}
{{ $name }} = {{ toJson $value }}
{{- end -}}
{{- end }}

{{/* Settings at the top that the service takes up while it runs. */}}
{{- define "chatbridge.reloadedNames" -}}
{{- list "gateway_url" "gateway_timeout_ms" "gateway_attempts" "gateway_rate_per_second" "gateway_in_flight" "gateway_circuit_open_ms"
    "transfer_timeout_seconds" "attachment_max_bytes" | toJson -}}
{{- end }}

{{- define "chatbridge.reloadedSettings" -}}
{{- $names := include "chatbridge.reloadedNames" . | fromJsonArray -}}
{{- range $name, $value := .Values.settings }}
{{- if has $name $names }}
{{ $name }} = {{ toJson $value }}
{{- end }}
{{- end }}
{{- with .Values.tokenSha256 }}
token_sha256 = {{ join "," . | toJson }}
{{- end }}
{{- if .Values.chatV2.enabled }}
chat_v2_token_secret_file = {{ include "chatbridge.secretPath" (dict "root" $ "of" .Values.chatV2.tokenSecret) | toJson }}
{{- end }}
{{- end }}

{{/* What callers and grants have in common. */}}
{{- define "chatbridge.rights" }}
role = {{ toJson .role }}
tenants = {{ toJson .tenants }}
{{- with .callsPerSecond }}
calls_per_second = {{ toJson . }}
{{- end }}
{{- with .streamsMax }}
streams_max = {{ toJson . }}
{{- end }}
{{- end }}

{{- define "chatbridge.configToml" -}}
# Written by the chart.
{{- include "chatbridge.fixedSettings" . }}
{{- include "chatbridge.reloadedSettings" . }}
{{- range .Values.tenants }}

[[tenants]]
id = {{ toJson .id }}
{{- $key := include "chatbridge.apiKey" (dict "root" $ "tenant" .) | fromYaml }}
api_key_file = {{ include "chatbridge.secretPath" (dict "root" $ "of" $key) | toJson }}
{{- with .channels }}
channels = {{ toJson . }}
{{- end }}
{{- with .webhookId }}
webhook_id = {{ toJson . }}
{{- end }}
{{- range $name, $value := .settings }}
{{ $name }} = {{ toJson $value }}
{{- end }}
{{- end }}
{{- range .Values.callers }}

[[callers]]
name = {{ toJson .name }}
{{- include "chatbridge.rights" . }}
{{- with .tokenSha256 }}
token_sha256 = {{ toJson . }}
{{- end }}
{{- with .identities }}
identities = {{ toJson . }}
{{- end }}
{{- end }}
{{- range .Values.jwtIssuers }}

[[jwt_issuers]]
issuer = {{ toJson .issuer }}
audiences = {{ toJson .audiences }}
algorithms = {{ toJson .algorithms }}
jwks_url = {{ toJson .jwksUrl }}
{{- with .nameClaim }}
name_claim = {{ toJson . }}
{{- end }}
{{- range .grants }}

[[jwt_issuers.grants]]
claim = {{ toJson .claim }}
value = {{ toJson .value }}
{{- include "chatbridge.rights" . }}
{{- end }}
{{- end }}
{{- if .Values.chatV2.enabled }}
{{- range .Values.chatV2.clients }}

[[chat_v2_clients]]
id = {{ toJson .id }}
secret_sha256 = {{ toJson .secretSha256 }}
tenants = {{ toJson .tenants }}
{{- with .scopes }}
scopes = {{ toJson . }}
{{- end }}
{{- with .callsPerSecond }}
calls_per_second = {{ toJson . }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Of a Secret that the chart makes: the keys that are read at the start only. */}}
{{- define "chatbridge.fixedSecrets" -}}
{{- $all := list .Values.redis.urlSecret .Values.webhook.pathSecret.secret .Values.agentNames.urlSecret -}}
{{- if .Values.chatV2.enabled -}}
{{- $all = append $all .Values.chatV2.signingKey.secret -}}
{{- end -}}
{{- range $all -}}
{{- if not .name -}}
{{- .key }}={{ get $.Values.secrets.values .key }};
{{- end -}}
{{- end -}}
{{- end }}
