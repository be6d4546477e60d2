{{/* Where secrets, certificates and files come from, and where the container has them. */}}

{{- define "chatbridge.directory" -}}
/etc/chatbridge
{{- end }}

{{/* The Secret of `secrets`; empty where there is none. */}}
{{- define "chatbridge.secretName" -}}
{{- with .Values.secrets -}}
{{- if .existingSecret -}}
{{- .existingSecret -}}
{{- else if or .values .externalSecret.enabled -}}
{{- include "chatbridge.fullname" $ -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* The Secret of a `{name, key}`: takes root and of. */}}
{{- define "chatbridge.secretOf" -}}
{{- default (include "chatbridge.secretName" .root) .of.name -}}
{{- end }}

{{/* The path of the file of a `{name, key}`: takes root and of. */}}
{{- define "chatbridge.secretPath" -}}
{{- printf "%s/secrets/%s/%s" (include "chatbridge.directory" .root) (include "chatbridge.secretOf" .) .of.key -}}
{{- end }}

{{/* Where the API key of a tenant is: takes root and tenant. */}}
{{- define "chatbridge.apiKey" -}}
{{- $given := default (dict) .tenant.apiKey -}}
{{- dict "name" (default "" $given.name) "key" (default (printf "api-key-%s" .tenant.id) $given.key) | toYaml -}}
{{- end }}

{{/* All `{name, key}` in use, as a list under `all`. */}}
{{- define "chatbridge.secretKeys" -}}
{{- $all := list -}}
{{- range .Values.tenants -}}
{{- $all = append $all (include "chatbridge.apiKey" (dict "root" $ "tenant" .) | fromYaml) -}}
{{- end -}}
{{- if not .Values.redis.url -}}
{{- $all = append $all .Values.redis.urlSecret -}}
{{- end -}}
{{- if .Values.webhook.pathSecret.enabled -}}
{{- $all = append $all .Values.webhook.pathSecret.secret -}}
{{- end -}}
{{- if .Values.masterKeys.enabled -}}
{{- $all = append $all .Values.masterKeys.secret -}}
{{- end -}}
{{- with .Values.chatV2 -}}
{{- if .enabled -}}
{{- $all = append $all .tokenSecret -}}
{{- if .signingKey.enabled -}}
{{- $all = append $all .signingKey.secret -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if .Values.agentNames.urlSecret.key -}}
{{- $all = append $all .Values.agentNames.urlSecret -}}
{{- end -}}
{{- dict "all" $all | toYaml -}}
{{- end }}

{{/* The Secret with the certificate of a port: takes root and port, one of `chatbridge.ports`. */}}
{{- define "chatbridge.tlsSecret" -}}
{{- $tls := index .root.Values.tls .port.key -}}
{{- default (printf "%s-%s-tls" (include "chatbridge.fullname" .root) .port.name) $tls.secretName -}}
{{- end }}

{{/* A volume of a Secret or ConfigMap, whole: takes name, and secret or configMap. Keys that come later appear in it. */}}
{{- define "chatbridge.volume" -}}
- name: {{ .name }}
{{- if .secret }}
  secret:
    secretName: {{ .secret }}
    # Owned by root; the group is that of the pod.
    defaultMode: 0440
{{- else }}
  configMap:
    name: {{ .configMap }}
{{- end }}
{{- end }}

{{/*
All that is mounted, as a list under `all` of {name, path, secret or configMap}. A Secret is mounted whole and without subPath, so
that its files change when it does, and a key that is added, for a new tenant, needs no new pod.
*/}}
{{- define "chatbridge.mounts" -}}
{{- $directory := include "chatbridge.directory" . -}}
{{- $all := list (dict "name" "config" "path" (printf "%s/config" $directory) "configMap" (include "chatbridge.fullname" .)) -}}
{{- $names := list -}}
{{- range (include "chatbridge.secretKeys" . | fromYaml).all -}}
{{- $names = append $names (include "chatbridge.secretOf" (dict "root" $ "of" .)) -}}
{{- end -}}
{{- range $names | uniq | sortAlpha -}}
{{- $all = append $all (dict "name" (printf "secret-%s" (sha256sum . | trunc 10)) "path" (printf "%s/secrets/%s" $directory .) "secret" .) -}}
{{- end -}}
{{- range (include "chatbridge.ports" . | fromYaml).all -}}
{{- $tls := index $.Values.tls .key -}}
{{- if $tls.enabled -}}
{{- $secret := include "chatbridge.tlsSecret" (dict "root" $ "port" .) -}}
{{- $all = append $all (dict "name" (printf "tls-%s" .name) "path" (printf "%s/tls/%s" $directory .name) "secret" $secret) -}}
{{- if or $tls.clientCa.secretName $tls.clientCa.configMapName -}}
{{- $all = append $all (dict "name" (printf "client-ca-%s" .name) "path" (printf "%s/tls/%s-client-ca" $directory .name) "secret" $tls.clientCa.secretName "configMap" $tls.clientCa.configMapName) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- with .Values.redis.tls -}}
{{- if or .ca.secretName .ca.configMapName -}}
{{- $all = append $all (dict "name" "redis-ca" "path" (printf "%s/tls/redis-ca" $directory) "secret" .ca.secretName "configMap" .ca.configMapName) -}}
{{- end -}}
{{- if .clientCertSecret -}}
{{- $all = append $all (dict "name" "redis-client" "path" (printf "%s/tls/redis" $directory) "secret" .clientCertSecret) -}}
{{- end -}}
{{- end -}}
{{- if .Values.agentNames.values -}}
{{- $all = append $all (dict "name" "agent-names" "path" (printf "%s/agents" $directory) "configMap" (printf "%s-agents" (include "chatbridge.fullname" .))) -}}
{{- else if .Values.agentNames.configMap.name -}}
{{- $all = append $all (dict "name" "agent-names" "path" (printf "%s/agents" $directory) "configMap" .Values.agentNames.configMap.name) -}}
{{- end -}}
{{- dict "all" $all | toYaml -}}
{{- end }}

{{- define "chatbridge.volumes" -}}
{{- range (include "chatbridge.mounts" . | fromYaml).all }}
{{ include "chatbridge.volume" . }}
{{- end }}
{{- end }}

{{- define "chatbridge.volumeMounts" -}}
{{- range (include "chatbridge.mounts" . | fromYaml).all }}
- name: {{ .name }}
  mountPath: {{ .path }}
  readOnly: true
{{- end }}
{{- end }}
