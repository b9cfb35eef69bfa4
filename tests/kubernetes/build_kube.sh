#!/usr/bin/env bash
# Build Kubernetes 1.20.2 (control plane, kubelet, kube-proxy) from Debian bookworm's source package, the last
# with the full source: one program, and a link to it by each name. Five to six minutes of processor time.
# Needs: golang-go golang-github-modern-go-reflect2-dev dpkg-dev xz-utils patch
# usage: build_kube.sh FOLDER NAME...
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
out=$(readlink -m "$1")
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/src" "$out"

# The machine's own mirror as a source of sources, with lists of its own: nothing else sees it.
site=$(apt-get indextargets --format '$(SITE)' 'Origin: Debian' | head -n 1)
keys=/usr/share/keyrings/debian-archive-keyring.gpg
echo "deb-src [signed-by=$keys] ${site:?apt knows no mirror of Debian} bookworm main" >"$work/sources.list"
apt=(apt-get -qq -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=/dev/null
	-o "Dir::State::lists=$work/lists" -o APT::Sandbox::User=root)
"${apt[@]}" update
cd "$work/src"
"${apt[@]}" source kubernetes >/dev/null
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

root=k8s.io/kubernetes
export GOPATH=$work/go CGO_ENABLED=0 GOPROXY=off GO111MODULE=off GOFLAGS= GOCACHE=$work/cache HOME=$work
mkdir -p "$GOPATH/src/k8s.io"
ln -s "$PWD" "$GOPATH/src/$root"
cd "$GOPATH/src/$root"

# The description of the API is the one generated file that the source lacks.
go build -o "$work/openapi-gen" "$root/vendor/k8s.io/kube-openapi/cmd/openapi-gen"
described=$(grep -rl --include='*.go' '^// +k8s:openapi-gen=' pkg vendor/k8s.io/ staging/src/k8s.io/ |
	sed 's|^staging/src/|vendor/|; s|/[^/]*$||' | grep -v '_examples\|/code-generator/\|sample-' | sort -u | sed "s|^|$root/|" | paste -sd,)
"$work/openapi-gen" -i "$described" -p $root/pkg/generated/openapi -O zz_generated.openapi \
	-h hack/boilerplate/boilerplate.generatego.txt -r "$work/violations"

mkdir cmd/all
cp "$here/kube_all.go" cmd/all/main.go
flags="-s -w"
for package in component-base/version client-go/pkg/version; do
	for value in gitVersion=v1.20.2 gitMajor=1 gitMinor=20; do
		flags+=" -X $root/vendor/k8s.io/$package.$value"
	done
done
# without the libraries of clouds, and without docker
go build -tags providerless,dockerless -ldflags "$flags" -o "$out/kube" $root/cmd/all
for name; do ln -sf kube "$out/$name"; done
"$out/$1" --version
