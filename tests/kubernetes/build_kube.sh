#!/usr/bin/env bash
# Build Kubernetes 1.20.2 (control plane, kubelet, kube-proxy) from Debian bookworm's source package, the last
# with the full source. Needs root, for apt, and about eight minutes of processor time.
# usage: build_kube.sh FOLDER [NAME...]
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
out=$(readlink -m "$1"); shift
names=${*:-kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/src" "$out"
apt-get update -qq
apt-get install -y -qq --no-install-recommends golang-go golang-github-modern-go-reflect2-dev \
	make rsync dpkg-dev binutils perl tar gzip xz-utils patch >/dev/null

# The machine's own mirror as a source of sources, with lists of its own: nothing else sees it.
sed "s/^Types: deb$/Types: deb-src/" /etc/apt/sources.list.d/debian.sources >"$work/src.sources"
apt=(apt-get -o "Dir::Etc::sourcelist=$work/src.sources" -o Dir::Etc::sourceparts=/dev/null
	-o "Dir::State::lists=$work/lists" -o APT::Sandbox::User=root)
"${apt[@]}" update -qq
cd "$work/src"
"${apt[@]}" source -qq kubernetes >/dev/null
cd kubernetes-*/

# The vendored reflect2 1.0.1 walks maps wrongly on Go >= 1.18: the API server then crashes on the first
# custom resource. Debian has the mended 1.0.2.
rm -rf vendor/github.com/modern-go/reflect2
cp -a /usr/share/gocode/src/github.com/modern-go/reflect2 vendor/github.com/modern-go/reflect2
rm -f vendor/github.com/modern-go/reflect2/*_test.go
# Before 1.27, discovery leaves singularName empty for built-in kinds; kr8s, under dask-kubernetes, relies on it.
file=staging/src/k8s.io/apiserver/pkg/endpoints/installer.go
sed -i 's|^\treturn &apiResource, resourceInfo, nil$|\tif !isSubresource {\n\t\tapiResource.SingularName = strings.ToLower(apiResource.Kind)\n\t}\n\treturn \&apiResource, resourceInfo, nil|' $file
grep -q 'SingularName = strings' $file

export GOPATH=$PWD/.go CGO_ENABLED=0 GOPROXY=off GO111MODULE=off GOFLAGS= GOCACHE=$work/gocache HOME=$work
mkdir -p .go/src/k8s.io
ln -sfn ../../.. .go/src/k8s.io/kubernetes
cd .go/src/k8s.io/kubernetes
make WHAT="$(printf 'cmd/%s ' $names)"
for name in $names; do strip -o "$out/$name" "_output/bin/$name"; done
