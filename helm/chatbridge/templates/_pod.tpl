{{/* Parts of pods: of the service, and of `helm test`. */}}

{{/* What every pod has in common. */}}
{{- define "chatbridge.podBase" -}}
serviceAccountName: {{ include "chatbridge.serviceAccountName" . }}
automountServiceAccountToken: false
# Otherwise each Service of the namespace makes variables, and some would begin like a setting's.
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.runtimeClassName }}
runtimeClassName: {{ . }}
{{- end }}
{{- with .Values.hostAliases }}
hostAliases:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.dnsConfig }}
dnsConfig:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* What every container of ours has in common. */}}
{{- define "chatbridge.containerBase" -}}
image: {{ include "chatbridge.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  {{- toYaml .Values.securityContext | nindent 2 }}
{{- end }}

{{/* The variables of whatever reads the configuration. */}}
{{- define "chatbridge.env" -}}
- name: CHATBRIDGE_CONFIG
  value: {{ include "chatbridge.directory" . }}/config/chatbridge.toml
- name: CHATBRIDGE_LOG
  value: {{ .Values.log.level | quote }}
- name: CHATBRIDGE_LOG_FORMAT
  value: {{ .Values.log.format }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* How pods are spread. Those of an older version do not count, or a new one would be laid around them. */}}
{{- define "chatbridge.spread" -}}
{{- with .Values.topologySpread }}
{{- if .enabled }}
{{- range $key, $unsatisfiable := dict "topology.kubernetes.io/zone" .zones "kubernetes.io/hostname" .nodes }}
- topologyKey: {{ $key }}
  maxSkew: 1
  whenUnsatisfiable: {{ $unsatisfiable }}
  matchLabelKeys:
    - pod-template-hash
  labelSelector:
    matchLabels:
      {{- include "chatbridge.podSelector" $ | nindent 6 }}
{{- end }}
{{- end }}
{{- with .extra }}
{{ toYaml . }}
{{- end }}
{{- end }}
{{- end }}
