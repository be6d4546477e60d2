{{/* Names and labels. */}}

{{- define "chatbridge.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 48 | trimSuffix "-" -}}
{{- end }}

{{/* At most 48 characters, so that a suffix fits into the 63 of a label. */}}
{{- define "chatbridge.fullname" -}}
{{- $name := include "chatbridge.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 48 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 48 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 48 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{/* What never changes, since a Deployment's selector cannot. */}}
{{- define "chatbridge.selectorLabels" -}}
app.kubernetes.io/name: {{ include "chatbridge.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* The selector of the service's pods, which those of `helm test` are not. */}}
{{- define "chatbridge.podSelector" -}}
{{ include "chatbridge.selectorLabels" . }}
app.kubernetes.io/component: server
{{- end }}

{{- define "chatbridge.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "chatbridge.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: chatbridge
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/*
The metadata of an object: name, namespace, labels, annotations.
Takes root, and where given suffix (of the name), component, annotations and labels.
*/}}
{{- define "chatbridge.metadata" -}}
{{- $root := .root -}}
name: {{ include "chatbridge.fullname" $root }}{{ with .suffix }}-{{ . }}{{ end }}
namespace: {{ $root.Release.Namespace }}
labels:
  {{- include "chatbridge.labels" $root | nindent 2 }}
  {{- with .component }}
  app.kubernetes.io/component: {{ . }}
  {{- end }}
  {{- with .labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with mergeOverwrite (dict) $root.Values.commonAnnotations (default (dict) .annotations) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "chatbridge.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "chatbridge.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end }}

{{- define "chatbridge.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{- printf "%s@%s" .repository .digest -}}
{{- else -}}
{{- printf "%s:%s" .repository (default $.Chart.AppVersion .tag) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/*
The ports that others reach, as a list under `all` of {key, name, setting, number}: `key` is what values call one, `name` what it is called
in Kubernetes, `setting` how its settings begin, `number` where it is in the pod.
*/}}
{{- define "chatbridge.ports" -}}
{{- $all := list
    (dict "key" "grpc" "name" "grpc" "setting" "grpc" "number" 50051)
    (dict "key" "webhook" "name" "webhook" "setting" "webhook" "number" 8080) -}}
{{- if .Values.chatV2.enabled -}}
{{- $all = append $all (dict "key" "chatV2" "name" "chat-v2" "setting" "chat_v2" "number" 8081) -}}
{{- end -}}
{{- dict "all" $all | toYaml -}}
{{- end }}

{{/* The whole time that a pod has to stop, in seconds, at least. */}}
{{- define "chatbridge.stopSeconds" -}}
{{- with .Values.shutdown -}}
{{- add (int .preStopSleepSeconds) (div (add (int .drainDeadlineMs) 999) 1000) (int .marginSeconds) -}}
{{- end -}}
{{- end }}
