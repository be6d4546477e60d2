{{/* What the schema cannot tell: values that do not fit together. All mistakes are told at once. */}}

{{- define "chatbridge.validate" -}}
{{- $mistakes := concat
    (include "chatbridge.validate.release" . | fromJsonArray)
    (include "chatbridge.validate.callers" . | fromJsonArray)
    (include "chatbridge.validate.secrets" . | fromJsonArray)
    (include "chatbridge.validate.network" . | fromJsonArray)
    (include "chatbridge.validate.chatV2" . | fromJsonArray) -}}
{{- if $mistakes -}}
{{- printf "\n\nThe values do not fit together:\n  - %s\n" (join "\n  - " $mistakes) | fail -}}
{{- end -}}
{{- end }}

{{- define "chatbridge.validate.release" -}}
{{- $mistakes := list -}}
{{- with .Values -}}
{{- if and (eq .image.tag "latest") (not .image.digest) -}}
{{- $mistakes = append $mistakes "image.tag is latest: name a version, so that all replicas run the same" -}}
{{- end -}}
{{- $stop := include "chatbridge.stopSeconds" $ | int -}}
{{- $grace := .shutdown.terminationGracePeriodSeconds | int -}}
{{- if and $grace (lt $grace $stop) -}}
{{- $mistakes = append $mistakes (printf "shutdown.terminationGracePeriodSeconds is %d, but preStopSleepSeconds, drainDeadlineMs and marginSeconds are %d s together: streams would be killed" $grace $stop) -}}
{{- end -}}
{{- if gt (int64 .shutdown.drainSpreadMs) (int64 .shutdown.drainDeadlineMs) -}}
{{- $mistakes = append $mistakes "shutdown.drainSpreadMs is longer than drainDeadlineMs: streams would be cut off before they are ended" -}}
{{- end -}}
{{- if and (eq .redis.url "memory:") (or .autoscaling.enabled (gt (int .replicaCount) 1)) -}}
{{- $mistakes = append $mistakes "redis.url is memory:, which replicas cannot share: set replicaCount to 1 without autoscaling, or give a Redis" -}}
{{- end -}}
{{- if .autoscaling.enabled -}}
{{- if gt (int .autoscaling.minReplicas) (int .autoscaling.maxReplicas) -}}
{{- $mistakes = append $mistakes "autoscaling.minReplicas is more than maxReplicas" -}}
{{- end -}}
{{- if not (or .autoscaling.streamsPerPod .autoscaling.cpuUtilization) -}}
{{- $mistakes = append $mistakes "autoscaling has neither streamsPerPod nor cpuUtilization to go by" -}}
{{- end -}}
{{- end -}}
{{- if and (eq (toString .updateStrategy.maxSurge) "0") (eq (toString .updateStrategy.maxUnavailable) "0") -}}
{{- $mistakes = append $mistakes "updateStrategy.maxSurge and maxUnavailable are both 0: no pod could be replaced" -}}
{{- end -}}
{{- $least := ternary .autoscaling.minReplicas .replicaCount .autoscaling.enabled -}}
{{- if and .podDisruptionBudget.enabled (not (kindIs "string" .podDisruptionBudget.minAvailable)) -}}
{{- if and (gt (int .podDisruptionBudget.minAvailable) 0) (ge (int .podDisruptionBudget.minAvailable) (int $least)) -}}
{{- $mistakes = append $mistakes (printf "podDisruptionBudget.minAvailable is %d of %d replicas: no node could be drained" (int .podDisruptionBudget.minAvailable) (int $least)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $mistakes -}}
{{- end }}

{{- define "chatbridge.validate.callers" -}}
{{- $mistakes := list -}}
{{- with .Values -}}
{{- if not (or .tokenSha256 .callers .jwtIssuers) -}}
{{- $mistakes = append $mistakes "nobody may call: give tokenSha256 (of a token that `chatbridge token` makes), callers or jwtIssuers" -}}
{{- end -}}
{{- range .callers -}}
{{- if not (or .tokenSha256 .identities) -}}
{{- $mistakes = append $mistakes (printf "callers: %s has neither tokenSha256 nor identities, so nobody can be it" .name) -}}
{{- end -}}
{{- if and .identities (not (or $.Values.tls.grpc.clientCa.secretName $.Values.tls.grpc.clientCa.configMapName)) -}}
{{- $mistakes = append $mistakes (printf "callers: %s has identities, but tls.grpc.clientCa asks for no certificates" .name) -}}
{{- end -}}
{{- end -}}
{{- if not .tenants -}}
{{- $mistakes = append $mistakes "tenants is empty: name the vendor's tenant, as {id: acme}" -}}
{{- end -}}
{{- $seen := dict -}}
{{- range .tenants -}}
{{- if hasKey $seen .id -}}
{{- $mistakes = append $mistakes (printf "tenants: %s is there twice" .id) -}}
{{- end -}}
{{- $_ := set $seen .id true -}}
{{- if not (or (regexMatch "^[A-Za-z0-9._-]+$" .id) (dig "apiKey" "key" "" .)) -}}
{{- $mistakes = append $mistakes (printf "tenants: the id %s cannot be part of a Secret's key: name the key in its apiKey.key" .id) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $mistakes -}}
{{- end }}

{{- define "chatbridge.validate.secrets" -}}
{{- $mistakes := list -}}
{{- $secrets := .Values.secrets -}}
{{- $ways := list -}}
{{- if $secrets.existingSecret -}}{{- $ways = append $ways "existingSecret" -}}{{- end -}}
{{- if $secrets.values -}}{{- $ways = append $ways "values" -}}{{- end -}}
{{- if $secrets.externalSecret.enabled -}}{{- $ways = append $ways "externalSecret" -}}{{- end -}}
{{- if gt (len $ways) 1 -}}
{{- $mistakes = append $mistakes (printf "secrets has %s: give one of them" (join " and " $ways)) -}}
{{- end -}}
{{- range (include "chatbridge.secretKeys" . | fromYaml).all -}}
{{- if and (not .name) (not $ways) -}}
{{- $mistakes = append $mistakes (printf "the key %s is in the Secret of secrets, which is not there: set secrets.existingSecret, externalSecret or values" .key) -}}
{{- else if and (not .name) $secrets.values (not (hasKey $secrets.values .key)) -}}
{{- $mistakes = append $mistakes (printf "secrets.values has no %s" .key) -}}
{{- end -}}
{{- end -}}
{{- with $secrets.externalSecret -}}
{{- if .enabled -}}
{{- if not .storeRef.name -}}
{{- $mistakes = append $mistakes "secrets.externalSecret.storeRef.name is not set" -}}
{{- end -}}
{{- if not (or .data .dataFrom) -}}
{{- $mistakes = append $mistakes "secrets.externalSecret has neither data nor dataFrom" -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- with .Values.agentNames -}}
{{- if gt (len (compact (list (ternary "x" "" (not (empty .values))) .configMap.name .urlSecret.key))) 1 -}}
{{- $mistakes = append $mistakes "agentNames has more than one of values, configMap and urlSecret" -}}
{{- end -}}
{{- end -}}
{{- /* Not by the schema, whose message would show it. */ -}}
{{- if contains "@" .Values.redis.url -}}
{{- $mistakes = append $mistakes "redis.url has a user or a password: put it into the Secret, under redis-url, and leave redis.url empty" -}}
{{- end -}}
{{- with .Values.redis.tls.ca -}}
{{- if and .secretName .configMapName -}}
{{- $mistakes = append $mistakes "redis.tls.ca has both secretName and configMapName" -}}
{{- end -}}
{{- end -}}
{{- toJson $mistakes -}}
{{- end }}

{{- define "chatbridge.validate.network" -}}
{{- $mistakes := list -}}
{{- range (include "chatbridge.ports" . | fromYaml).all -}}
{{- $port := .key -}}
{{- $tls := index $.Values.tls $port -}}
{{- $ca := $tls.clientCa -}}
{{- if and $ca.secretName $ca.configMapName -}}
{{- $mistakes = append $mistakes (printf "tls.%s.clientCa has both secretName and configMapName" $port) -}}
{{- end -}}
{{- if and (or $ca.secretName $ca.configMapName) (not $tls.enabled) -}}
{{- $mistakes = append $mistakes (printf "tls.%s.clientCa is set, but tls.%s.enabled is not" $port $port) -}}
{{- end -}}
{{- if and $tls.enabled (not $tls.secretName) (not $tls.certManager.enabled) -}}
{{- $mistakes = append $mistakes (printf "tls.%s.enabled has no certificate: set secretName or certManager.enabled" $port) -}}
{{- end -}}
{{- if and $tls.certManager.enabled (not $tls.certManager.issuerRef.name) -}}
{{- $mistakes = append $mistakes (printf "tls.%s.certManager.issuerRef.name is not set" $port) -}}
{{- end -}}
{{- with index $.Values.ingress $port -}}
{{- if and .enabled (not .hosts) -}}
{{- $mistakes = append $mistakes (printf "ingress.%s.hosts is empty" $port) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $route := list "webhook" "grpc" "grpcWeb" "chatV2" -}}
{{- with index $.Values.gatewayApi $route -}}
{{- if and .enabled (not .parentRefs) -}}
{{- $mistakes = append $mistakes (printf "gatewayApi.%s.parentRefs is empty: name the Gateway" $route) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- with .Values.gatewayApi -}}
{{- if and .grpc.enabled .grpcWeb.enabled -}}
{{- range .grpcWeb.hostnames -}}
{{- if has . $.Values.gatewayApi.grpc.hostnames -}}
{{- $mistakes = append $mistakes (printf "gatewayApi: grpc and grpcWeb both have the host name %s, and a Gateway takes one of them only" .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and .backendTls.enabled (not (or $.Values.tls.grpc.enabled $.Values.tls.webhook.enabled $.Values.tls.chatV2.enabled)) -}}
{{- $mistakes = append $mistakes "gatewayApi.backendTls is enabled, but no port has TLS" -}}
{{- end -}}
{{- end -}}
{{- toJson $mistakes -}}
{{- end }}

{{- define "chatbridge.validate.chatV2" -}}
{{- $mistakes := list -}}
{{- if .Values.chatV2.enabled -}}
{{- if not .Values.chatV2.clients -}}
{{- $mistakes = append $mistakes "chatV2.enabled needs at least one of chatV2.clients: nobody could get a token" -}}
{{- end -}}
{{- $tenants := list "*" -}}
{{- range .Values.tenants -}}{{- $tenants = append $tenants .id -}}{{- end -}}
{{- $seen := dict -}}
{{- range $client := .Values.chatV2.clients -}}
{{- if hasKey $seen .id -}}
{{- $mistakes = append $mistakes (printf "chatV2.clients: %s is there twice" .id) -}}
{{- end -}}
{{- $_ := set $seen .id true -}}
{{- range .tenants -}}
{{- if not (has . $tenants) -}}
{{- $mistakes = append $mistakes (printf "chatV2.clients: %s names the tenant %s, which is not one of tenants" $client.id .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range (include "chatbridge.chatV2Allowed" . | fromYaml).all -}}
{{- if not (regexMatch "^(?:[0-9]{1,3}(?:[.][0-9]{1,3}){3}|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*)/[0-9]{1,3}$" .) -}}
{{- $mistakes = append $mistakes (printf "settings.chat_v2_webhook_allow: %s is not a network such as 10.1.0.0/16" .) -}}
{{- end -}}
{{- end -}}
{{- else -}}
{{- range list "ingress" "gatewayApi" "tls" -}}
{{- if (index $.Values . "chatV2").enabled -}}
{{- $mistakes = append $mistakes (printf "%s.chatV2.enabled is set, but chatV2.enabled is not, so there is no such port" .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $mistakes -}}
{{- end }}
