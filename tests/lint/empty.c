/* SPDX-License-Identifier: Apache-2.0 */
/* Stands for the fuzz targets in builds without them. */
int main(void)
{
    return 0;
}
